# msize d: the size of the linear memory in pages, from the instance's cell `t`.

template msize, out d:gp, target t:data
        mov     \d32, dword ptr [rip + \t]
end
