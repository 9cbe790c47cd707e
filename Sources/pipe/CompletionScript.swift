/// What `pipe --generate-completion-script SHELL` prints, and `completions/` holds. The scripts ask
/// the binary (see `Completion`), so that they fit each version of it, and do only what a shell does
/// best: paths, groups, and the completion of another command.
enum CompletionScript {
  /// `arguments`: with the program's name first. Mistakes are left to the parser.
  static func requested(by arguments: [String]) -> String? {
    guard arguments.count == 3, arguments[1] == "--generate-completion-script" else { return nil }
    switch arguments[2] {
    case "bash": return bash
    case "zsh": return zsh
    case "fish": return fish
    default: return nil
    }
  }

  static let bash = #"""
    # Completion of pipe in bash, with bash-completion or without.
    # Printed by: pipe --generate-completion-script bash

    _pipe() {
        local IFS=$' \t\n' word kind rest before line joins='' index=0 i
        local -a words=() places=() lines=() found=() others=()

        # bash splits words at = and :, which pipe takes whole. $2 ends at the cursor.
        for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
            word=${COMP_WORDS[i]}
            if ((i == COMP_CWORD)) && [[ $word != [=:]* ]]; then word=$2; fi
            if [[ $word == [=:]* && ${#words[@]} -gt 1 ]]; then joins=1; fi
            if [[ $joins ]] && ((i <= COMP_CWORD || index < ${#words[@]} - 1)); then
                words[${#words[@]} - 1]+=$word
            else
                words+=("$word")
                places+=("$i")
            fi
            joins=''
            if [[ $word == [=:]* ]]; then joins=1; fi
            if ((i == COMP_CWORD)); then index=$((${#words[@]} - 1)) joins=''; fi
        done

        mapfile -t lines < <(
            "${COMP_WORDS[0]/#\~\//$HOME/}" ---complete bash "$index" "${words[@]}" 2> /dev/null
        )
        kind=${lines[0]%% *} rest=${lines[0]#* }
        word=${words[index]}
        case $kind in
        words)
            compopt -o nosort 2> /dev/null
            for line in "${lines[@]:1}"; do found+=("${line%%$'\t'*}"); done
            ;;
        files)
            compopt -o filenames 2> /dev/null
            mapfile -t found < <(compgen -f -- "${word#"$rest"}")
            ;;
        queues)
            compopt -o filenames -o nosort 2> /dev/null
            while IFS= read -r line; do
                if [[ -e ${line/#\~\//$HOME/}/format ]]; then found+=("$line"); else others+=("$line"); fi
            done < <(compgen -d -- "${word#"$rest"}" | LC_ALL=C sort)
            found+=("${others[@]}")
            ;;
        groups)
            mapfile -t found < <(compgen -g -- "${word#"$rest"}")
            ;;
        command)
            _pipe_command "${places[rest]:-$COMP_CWORD}"
            return
            ;;
        esac
        if [[ $kind != words ]]; then found=("${found[@]/#/$rest}"); fi
        # bash replaces only $2, the part after the last = or :.
        before=${word%"$2"}
        COMPREPLY=("${found[@]#"$before"}")
    }

    # Completes the command line that begins at this word.
    _pipe_command() {
        if declare -F _comp_command_offset > /dev/null; then
            _comp_command_offset "$1"
        elif declare -F _command_offset > /dev/null; then
            _command_offset "$1"
        else
            compopt -o filenames 2> /dev/null
            local actions=(-f)
            if ((COMP_CWORD == $1)); then actions=(-c -d); fi
            mapfile -t COMPREPLY < <(compgen "${actions[@]}" -- "${COMP_WORDS[COMP_CWORD]}")
        fi
    }

    complete -F _pipe pipe

    """#

  static let zsh = #"""
    #compdef pipe
    # Completion of pipe in zsh.
    # Printed by: pipe --generate-completion-script zsh

    _pipe() {
        local kind rest line i ret=1
        local -a typed lines found shown expl

        typed=("${words[@]}")
        typed[CURRENT]=$PREFIX
        lines=("${(@f)$(${(Q)~words[1]} ---complete zsh $((CURRENT - 1)) "${typed[@]}" 2> /dev/null)}")
        kind=${lines[1]%% *} rest=${lines[1]#* }
        case $kind in
        words)
            for line in "${(@)lines[2,-1]}"; do
                found+=("${line%%$'\t'*}")
                shown+=("${found[-1]//:/\\:}${${line#*$'\t'}:+:${line#*$'\t'}}")
            done
            zformat -a shown ' -- ' "${shown[@]}"
            for ((i = 1; i <= $#shown; i++)); do shown[i]=${shown[i][1,COLUMNS - 1]}; done
            _description values expl value
            compadd -V pipe "${expl[@]}" -d shown -a found && ret=0
            ;;
        files)
            compset -p ${#rest}
            _files && ret=0
            ;;
        queues)
            compset -p ${#rest}
            _description queues expl queue
            _path_files -V pipe-queues "${expl[@]}" -g '*(-/+_pipe_is_queue)' && ret=0
            _description directories expl directory
            _path_files -V pipe "${expl[@]}" -g '*(-/^+_pipe_is_queue)' && ret=0
            ;;
        groups)
            compset -p ${#rest}
            _groups && ret=0
            ;;
        command)
            shift $rest words
            ((CURRENT -= rest))
            _normal -p pipe && ret=0
            ;;
        esac
        return ret
    }

    _pipe_is_queue() {
        [[ -e $REPLY/format ]]
    }

    if [ "$funcstack[1]" = _pipe ]; then
        _pipe "$@"
    else
        compdef _pipe pipe
    fi

    """#

  static let fish = #"""
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

    """#
}
