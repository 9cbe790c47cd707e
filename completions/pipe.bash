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
