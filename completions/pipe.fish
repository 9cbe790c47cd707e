# Completion of pipe in fish.
# Printed by: pipe --generate-completion-script fish

function __pipe_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l words (commandline -op)
    set -l next (math (count $before) + 1)
    test -n "$current"; and set next (math $next + 1)
    set -l program (string replace -r '^~/' "$HOME/" -- $before[1])
    set -l lines ($program ---complete fish (count $before) \
        $before "$current" $words[$next..] 2> /dev/null)
    set -l answer (string split -m 1 ' ' -- "$lines[1]")
    set -l typed (string replace -- "$answer[2]" '' $current)
    set -l found
    switch "$answer[1]"
        case words
            printf '%s\n' $lines[2..]
        case files
            # As for a command without a completion of its own.
            set found (complete -C "./no-such-command $typed")
        case queues
            set -l others
            for directory in (__fish_complete_directories "$typed" '')
                set -l path (string trim -r -- $directory)
                if test -e (string replace -r '^~/' "$HOME/" -- $path)/format
                    set -a found $path\tQueue
                else
                    set -a others $path\tDirectory
                end
            end
            set -a found $others
        case groups
            set found (__fish_complete_groups)
        case command
            set -l inner (string escape -- $before[(math $answer[2] + 1)..])
            complete -C "$(string join ' ' -- $inner $current)"
    end
    for word in $found
        printf '%s%s\n' "$answer[2]" $word
    end
end

complete -c pipe -f -k -a '(__pipe_complete)'
