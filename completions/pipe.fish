function __pipe_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __pipe_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __pipe_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __pipe_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __pipe_parse_tokens -S
    set -l unparsed_tokens (__pipe_tokens -pc)
    switch $unparsed_tokens[1]
    case 'pipe'
        __pipe_parse_subcommand 0 'version' 'h/help'
        switch $unparsed_tokens[1]
        case 'ingest'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'priority=' 'records' 'require=+' 'reject=' 'max-errors=' 'max-record-bytes=' 'version' 'h/help'
        case 'enqueue'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'raw' 'dedup=' 'delay=' 'at=' 'quiet' 'wait=' 'max-record-bytes=' 'version' 'h/help'
        case 'init'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'slice=' 'retries=' 'backoff=' 'max-items=' 'max-bytes=' 'retain=' 'min-free=' 'share=' 'private' 'version' 'h/help'
        case 'consume'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'size=' 'every=' 'n=' 'follow' 'j=' 'envelope' 'stream' 'timeout=' 'tag=' 'version' 'h/help'
        case 'batch'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'size=' 'every=' 'n=' 'follow' 'hold=' 'dry-run' 'version' 'h/help'
        case 'ack'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'retry' 'bury' 'reason=' 'tee' 'version' 'h/help'
        case 'route'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'on=' 'to=+' 'follow' 'version' 'h/help'
        case 'status'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'wait' 'timeout=' 'version' 'h/help'
        case 'list'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'state=+' 'n=' 'version' 'h/help'
        case 'explain'
            __pipe_parse_subcommand 1 'q/queue=' 'force' 'json' 'version' 'h/help'
        case 'stats'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'json' 'prometheus' 'hgrm' 'plot' 'svg=' 'model' 'compare=+' 'by=' 'chart' 'of=' 'n=' 'since=' 'watch=' 'output=' 'field=' 'version' 'h/help'
        case 'dead'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'version' 'h/help'
        case 'retry'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'all' 'version' 'h/help'
        case 'drop'
            __pipe_parse_subcommand -r 1 'q/queue=' 'force' 'all' 'lost' 'version' 'h/help'
        case 'prune'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'json' 'version' 'h/help'
        case 'fsck'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'version' 'h/help'
        case 'serve'
            __pipe_parse_subcommand 0 'q/queue=' 'force' 'host=' 'port=' 'token-file=' 'max-body=' 'require=+' 'dedup=' 'limit=' 'cors=' 'access-log' 'version' 'h/help'
        case 'help'
            __pipe_parse_subcommand -r 1 'version'
        end
    end
end

function __pipe_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __pipe_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __pipe_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __pipe_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__pipe_tokens -p)
    if test -z "$(__pipe_tokens -t)"
        set -l index (count (__pipe_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'pipe' -f
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'ingest' -d 'Validate JSON Lines and write them as entry lines.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'enqueue' -d 'Store entry lines durably and print their receipts.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'init' -d 'Create a queue, or change the settings of one.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'consume' -d 'Take items out: write them to stdout, or run a command for each batch.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'batch' -d 'Write batches of items as lines, for pipe ack to settle.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'ack' -d 'Settle the batches that pipe batch handed out.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'route' -d 'Move entries to other queues, chosen by a member\'s value, or to several.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'status' -d 'Print the status of entries.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'list' -d 'Print entries without taking them.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'explain' -d 'Explain why an entry has not run, and when it will.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'stats' -d 'Report how full a queue is, how fast, and how long items take.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'dead' -d 'Print dead letters: items no longer tried, and why.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'retry' -d 'Make dead items ready again, as if they had never been tried.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'drop' -d 'Remove dead letters or lost items; their entries stay failed.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'prune' -d 'Remove segments that need not be retained.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'fsck' -d 'Check every name and line of a queue.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'serve' -d 'Accept entries over HTTP, and answer queries about them.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" priority' -l 'priority' -d 'The priority of records without one: HIGH, MEDIUM or LOW.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" records' -l 'records' -d 'Treat every line as a record, whatever its members.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest"' -l 'require' -d 'A member that each record must have, and its type: string number integer boolean object array date-time any; may be repeated.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" reject' -l 'reject' -d 'Append rejected lines to this file, unchanged.' -rF
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" max-errors' -l 'max-errors' -d 'Stop after this many rejected lines.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" max-record-bytes' -l 'max-record-bytes' -d 'The longest line accepted.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_positional "pipe ingest" -ge 1' -F
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ingest" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" raw' -l 'raw' -d 'Read plain JSON Lines and validate them as pipe ingest does.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" dedup' -l 'dedup' -d 'Drop duplicates of entries stored within this time; answer with the earlier id.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" delay' -l 'delay' -d 'Make the entries ready after this delay.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" at' -l 'at' -d 'Make the entries ready only at this RFC 3339 time.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" quiet' -l 'quiet' -d 'Print no receipts.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" wait' -l 'wait' -d 'Wait this long for room in a full queue.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" max-record-bytes' -l 'max-record-bytes' -d 'The longest record accepted.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe enqueue" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" slice' -l 'slice' -d 'Items per slice of entries stored from now on (3).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" retries' -l 'retries' -d 'Times an item is retried before it is buried (5).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" backoff' -l 'backoff' -d 'How long a failed batch waits: the first and the longest wait, doubling (1s..5m).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" max-items' -l 'max-items' -d 'The most items stored and not done; 0: no limit.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" max-bytes' -l 'max-bytes' -d 'The most bytes stored and not done; 0: no limit.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" retain' -l 'retain' -d 'Keep a segment this long after all its items are done (7d).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" min-free' -l 'min-free' -d 'Leave this much of the file system free (64MiB).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" share' -l 'share' -d 'Share the queue with this group: a name or a number.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" private' -l 'private' -d 'Make the queue private to its owner again.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe init" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" size' -l 'size' -d 'Items per batch: 1 with a command or -n, otherwise as many as is fast.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" every' -l 'every' -d 'Start batches at least this far apart, across all consumers.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" n' -s 'n' -d 'Stop after this many batches.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" follow' -l 'follow' -d 'Wait for more instead of ending when nothing is ready.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" j' -s 'j' -d 'Commands to run at once; 1 by default.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" envelope' -l 'envelope' -d 'Write batch lines, with claim and ids, instead of plain items.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" stream' -l 'stream' -d 'Run the command once; it reads batch lines and answers each with a line.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" timeout' -l 'timeout' -d 'End a command that runs longer than this (500ms 5s 10m 2h 7d).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" tag' -l 'tag' -d 'A label for what this consumer settles; pipe stats reports by it.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe consume" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" size' -l 'size' -d 'Items per batch; the queue\'s slice by default.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" every' -l 'every' -d 'Start batches at least this far apart, across all consumers.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" n' -s 'n' -d 'Stop after this many batches.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" follow' -l 'follow' -d 'Wait for more instead of ending when nothing is ready.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" hold' -l 'hold' -d 'Do not wait for batches to be settled; keep them claimed for this long.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" dry-run' -l 'dry-run' -d 'Print the batches that would be handed out, and when; take nothing.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe batch" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" retry' -l 'retry' -d 'Retry items whose line names no result.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" bury' -l 'bury' -d 'Bury items whose line names no result.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" reason' -l 'reason' -d 'The reason, for the history and the dead letter.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" tee' -l 'tee' -d 'Write each line to stdout once it is settled and on disk.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe ack" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe route" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe route" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe route" on' -l 'on' -d 'The member whose value selects the queue; dots reach into objects, \\. is a dot in a name.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe route"' -l 'to' -d 'Copy each entry to this queue; may be repeated.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe route" follow' -l 'follow' -d 'Wait for more instead of ending when nothing is ready.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe route" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe route" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe status" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe status" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe status" wait' -l 'wait' -d 'Wait until each entry is completed or failed.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe status" timeout' -l 'timeout' -d 'Wait no longer than this.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe status" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe status" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe list" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe list" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe list"' -l 'state' -d 'Print items in this state only; repeatable.' -rfka 'ready claimed later dead done lost'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe list" n' -s 'n' -d 'Print at most this many lines.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe list" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe list" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe explain" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe explain" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe explain" json' -l 'json' -d 'Print one JSON object instead of a paragraph.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe explain" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe explain" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" json' -l 'json' -d 'Print one line of JSON instead of a table.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" prometheus' -l 'prometheus' -d 'Print metrics in the Prometheus text format.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" hgrm' -l 'hgrm' -d 'Print percentiles for HdrHistogram plotters, in milliseconds.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" plot' -l 'plot' -d 'Draw a picture: how long items take, and the last hour\'s throughput.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" svg' -l 'svg' -d 'Write the picture to this file as SVG.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" model' -l 'model' -d 'Print what queueing theory predicts from the measured rates, and what was measured.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats"' -l 'compare' -d 'Compare the service times of two tags, or of two queues (with a / in their names).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" by' -l 'by' -d 'Print one line per tag of consume --tag.' -rfka 'tag'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" chart' -l 'chart' -d 'Print a control chart of the last minutes.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" of' -l 'of' -d 'The stage that --hgrm, --plot and --svg show: wait, service or total, the default.' -rfka 'wait service total'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" n' -s 'n' -d 'Minutes in the chart: 60 by default, 120 at most.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" since' -l 'since' -d 'Only this recent period (10m 2h 7d).' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" watch' -l 'watch' -d 'Repeat at this interval.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" output' -l 'output' -d 'Write to this file, replacing it as a whole.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" field' -l 'field' -d 'Print the percentiles of this member of JSON Lines on stdin; dots reach into objects, \\. is a dot in a name.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe stats" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe dead" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe dead" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe dead" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe dead" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe retry" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe retry" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe retry" all' -l 'all' -d 'All dead letters.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe retry" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe retry" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe drop" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe drop" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe drop" all' -l 'all' -d 'All dead letters.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe drop" lost' -l 'lost' -d 'Remove the items lost to damage, not dead letters.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe drop" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe drop" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe prune" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe prune" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe prune" json' -l 'json' -d 'Print one line of JSON.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe prune" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe prune" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe fsck" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe fsck" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe fsck" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe fsck" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" q queue' -s 'q' -l 'queue' -d 'The queue; default $PIPE_QUEUE, or the user\'s own.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" force' -l 'force' -d 'Use a queue on a network file system, where its promises do not hold.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" host' -l 'host' -d 'The address to listen on; default $PIPE_HOST, $HOST or 127.0.0.1. Any but loopback needs --token-file.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" port' -l 'port' -d 'The port, 0 for a free one; default $PIPE_PORT, $PORT or 8000.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" token-file' -l 'token-file' -d 'A file with the token that clients must send.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" max-body' -l 'max-body' -d 'The longest request body accepted.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve"' -l 'require' -d 'A member that records must have; may be repeated.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" dedup' -l 'dedup' -d 'Answer a repeated id request or key with the earlier id for this long; 300s by default.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" limit' -l 'limit' -d 'Requests allowed from one address, such as 100/s; more are answered 429.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" cors' -l 'cors' -d 'Another origin whose pages may use the gateway, such as https://example.com, or * for all.' -rfka ''
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" access-log' -l 'access-log' -d 'Write a JSON line to stderr for each response.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" version' -l 'version' -d 'Show the version.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe serve" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'pipe' -n '__pipe_should_offer_completions_for_flags_or_options "pipe help" version' -l 'version' -d 'Show the version.'
