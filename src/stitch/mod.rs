//! The stitcher: from a verified module to an image.

pub mod image;
