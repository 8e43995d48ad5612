# halt: ends the program with success. The fault at this instruction tells the handler so.

template halt
        trap halt
end
