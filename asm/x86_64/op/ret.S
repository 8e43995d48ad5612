# ret a, …: returns. The results are in their places and the frame is gone already.

template ret
        ret
end
