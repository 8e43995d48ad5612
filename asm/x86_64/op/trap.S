# trap: traps, `unreachable`.

template trap
        trap unreachable
end
