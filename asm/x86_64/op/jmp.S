# jmp L: continues at the label.

template jmp, target t:rel32
        jmp     \t
end

template jmp, target t:rel8
        jmp     \t
end
