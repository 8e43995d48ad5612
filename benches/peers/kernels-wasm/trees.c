// Binary trees of depth n from an allocator with free lists: pointers followed and written.
#include "kernel.h"

struct node {
    struct node *left, *right;
    u32 value;
};
static struct node nodes[1 << 18];
static struct node *free_nodes;
static u32 used;

static struct node *allocate(void) {
    struct node *node = free_nodes;
    if (!node) return &nodes[used++ % (1 << 18)];
    free_nodes = node->left;
    return node;
}

static struct node *grow(u32 depth, u32 *random) {
    struct node *node = allocate();
    node->value = next(random);
    node->left = depth ? grow(depth - 1, random) : 0;
    node->right = depth ? grow(depth - 1, random) : 0;
    return node;
}

static u32 sum(const struct node *node) { return node ? node->value + 3 * sum(node->left) + 7 * sum(node->right) : 1; }

static void release(struct node *node) {
    if (!node) return;
    release(node->right);
    release(node->left);
    node->left = free_nodes;
    free_nodes = node;
}

u64 run(u32 n) {
    u32 random = 1;
    u64 result = 0;
    free_nodes = 0, used = 0;
    struct node *kept = grow(n, &random);
    for (u32 depth = 4; depth <= n; depth++)
        for (u32 i = 0; i < 1u << (n - depth); i++) {
            struct node *tree = grow(depth, &random);
            result = mix(result, sum(tree));
            release(tree);
        }
    return mix(result, sum(kept));
}
