# SPDX-License-Identifier: Apache-2.0
# fish completion of photon-dmesg.

# Prints what stands before the current word: the command, if that is the first word that is neither
# an option nor an option's value; "log" if there are files without a command; else "first", as a
# command may follow.
function __photon_dmesg_command
    set -l takes_value --level --facility --since --until --grep --after-context --before-context \
        --context --head --tail --from-seq --time-format --format --output --key --screenshot --vmx \
        --release --pid --comm --cpu --sort --fail-on --symbols --list --shard --jobs --memory
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l is_value no
    for token in $tokens
        if test $is_value = yes
            set is_value no
            continue
        end
        switch $token
            case --
                echo log
                return
            case '--*'
                contains -- $token $takes_value; and set is_value yes
            case '-?*'
                # The last of several letters, if none before it takes the rest as its value.
                string match -qr -- '^-[^lfABCoj]*[lfABCoj]$' $token; and set is_value yes
            case triage bt ps info core profile batch help
                echo $token
                return
            case '*'
                echo log
                return
        end
    end
    echo first
end

# Whether the command is one of the arguments.
function __photon_dmesg_is
    contains -- (__photon_dmesg_command) $argv
end

# Prints a comma-separated list up to its last comma, once with each of the arguments behind it that
# it does not hold yet.
function __photon_dmesg_list
    set -l list (commandline -ct | string replace -r -- '^--[a-z-]+=' '')
    set -l begin (string replace -rf -- '^(.*,).*' '$1' $list)
    for item in $argv
        contains -- $item (string split -- , $begin); or echo "$begin$item"
    end
end

function __photon_dmesg_levels
    set -l levels emerg alert crit err warn notice info debug
    set -l last (commandline -ct | string replace -r -- '^--[a-z-]+=' '' | string replace -r -- '.*,' '')
    if string match -q -- '+*' $last
        __photon_dmesg_list +$levels
    else
        contains -- (string trim -r -c + -- $last) $levels; and set -a levels (string trim -r -c + -- $last)+
        __photon_dmesg_list $levels
    end
end

# Commands
complete -c photon-dmesg -n '__photon_dmesg_is first' -a triage -d 'Say what is wrong with the guest'
complete -c photon-dmesg -n '__photon_dmesg_is first' -a bt -d 'Say what every CPU and task was doing'
complete -c photon-dmesg -n '__photon_dmesg_is first' -a ps -d 'List the tasks'
complete -c photon-dmesg -n '__photon_dmesg_is first' -a info -d 'Say what files hold'
complete -c photon-dmesg -n '__photon_dmesg_is first' -a core -d 'Write a folder for debuggers'
complete -c photon-dmesg -n '__photon_dmesg_is first' -a profile -d "Write a kernel's profile"
complete -c photon-dmesg -n '__photon_dmesg_is first' -a batch -d 'Report on many guests'
complete -c photon-dmesg -n '__photon_dmesg_is first' -a help -d 'Print the help of a command'
complete -c photon-dmesg -n '__photon_dmesg_is help' -f -a 'triage bt ps info core profile batch'

# The log: which records
set -l log '__photon_dmesg_is first log batch'
complete -c photon-dmesg -n $log -s l -l level -x -a '(__photon_dmesg_levels)' -d 'Only these levels'
complete -c photon-dmesg -n $log -s f -l facility -x -d 'Only these facilities' \
    -a '(__photon_dmesg_list kern user mail daemon auth syslog lpr news uucp cron authpriv ftp res{0,1,2,3} local{0,1,2,3,4,5,6,7})'
complete -c photon-dmesg -n $log -s k -l kernel -d 'Only messages of the kernel itself'
complete -c photon-dmesg -n $log -s u -l userspace -d 'Only messages that programs wrote to the log'
complete -c photon-dmesg -n $log -l since -x -d 'Only records logged after a time'
complete -c photon-dmesg -n $log -l until -x -d 'Only records logged before a time'
complete -c photon-dmesg -n $log -l grep -x -d 'Only records with a line that matches'
complete -c photon-dmesg -n $log -s i -l ignore-case -d '--grep takes upper and lower case as the same'
complete -c photon-dmesg -n $log -s A -l after-context -x -d 'And N records after each match'
complete -c photon-dmesg -n $log -s B -l before-context -x -d 'And N records before each match'
complete -c photon-dmesg -n $log -s C -l context -x -d 'And N records before and after each match'
complete -c photon-dmesg -n $log -l head -x -d 'Only the first N of what is selected'
complete -c photon-dmesg -n $log -l tail -x -d 'Only the last N of what is selected'
complete -c photon-dmesg -n $log -l from-seq -x -d 'Only records from sequence number N on'
complete -c photon-dmesg -n $log -l since-clear -d "Only records since the guest's last dmesg -C"
complete -c photon-dmesg -n $log -l cleared -d "Only records before the guest's last dmesg -C"
complete -c photon-dmesg -n $log -l unprinted -d 'Only records that no console had printed'

# The log: times
complete -c photon-dmesg -n $log -s T -l ctime -d 'Time of day'
complete -c photon-dmesg -n $log -s t -l notime -d 'No time'
complete -c photon-dmesg -n $log -s d -l show-delta -d 'Time since boot, and since the record before'
complete -c photon-dmesg -n $log -s e -l reltime -d 'Time of day once a minute, between those differences'
complete -c photon-dmesg -n $log -l time-format -x -d 'How times are printed' \
    -a 'ctime notime delta reltime iso raw suspend'

# The log: how text looks
complete -c photon-dmesg -n $log -s H -l human -d '-e with colors and a pager, on a terminal'
complete -c photon-dmesg -n $log -s L -l color -f -a 'auto always never' -d Colors
complete -c photon-dmesg -n $log -s P -l nopager -d 'No pager for -H'
complete -c photon-dmesg -n $log -l no-pager -d 'No pager for -H'
complete -c photon-dmesg -n $log -s x -l decode -d 'Facility and level before each record'
complete -c photon-dmesg -n $log -s r -l raw -d "As the kernel's own \"<6>[    0.000000] text\""
complete -c photon-dmesg -n $log -s p -l force-prefix -d 'The prefix on every line of a record'
complete -c photon-dmesg -n $log -l utc -d 'Times of day in UTC, also those of --since and --until'
complete -c photon-dmesg -n $log -l noescape -d 'Unprintable bytes as they are'

# The log: formats
complete -c photon-dmesg -n $log -s J -d 'JSON exactly as dmesg -J prints it'
complete -c photon-dmesg -n $log -l json -d 'One JSON document with the guest and sources'
complete -c photon-dmesg -n $log -l ndjson -d 'One JSON object a record'
complete -c photon-dmesg -n $log -l format -x -d "The output's format" \
    -a 'text json ndjson dmesg-json ecs otlp journal-json journal-export syslog kmsg'
complete -c photon-dmesg -n $log -l redact -d 'Placeholders for names, addresses and secrets'

# triage
complete -c photon-dmesg -n '__photon_dmesg_is triage' -l format -x -d "The output's format" \
    -a 'text json ndjson markdown html'
complete -c photon-dmesg -n '__photon_dmesg_is triage' -l fail-on -x -d 'Exit with 10 if one is found' \
    -a '(__photon_dmesg_list any lockup panic oops deadlock hard_lockup soft_lockup storage_stalled frozen_file_system blocked_tasks rcu_stall out_of_memory)'
complete -c photon-dmesg -n '__photon_dmesg_is triage' -l log -d 'FILE is the text of a log'
complete -c photon-dmesg -n '__photon_dmesg_is triage' -l hash -d 'The SHA-256 of the inputs in JSON too'
complete -c photon-dmesg -n '__photon_dmesg_is triage' -l redact -d 'Placeholders for names, addresses and secrets'
complete -c photon-dmesg -n '__photon_dmesg_is triage' -s J -l json -d 'Print one JSON document'
complete -c photon-dmesg -n '__photon_dmesg_is triage' -l ndjson -d 'Print a line of JSON for each finding'

# bt and ps
complete -c photon-dmesg -n '__photon_dmesg_is bt' -s a -l all -d 'Every task, behind the vCPUs'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -l blocked -d 'Only tasks in state D'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -l pid -x -d 'Only this process or thread'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -l comm -x -d 'Only tasks of this name, with * and ?'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -l cpu -x -d 'Only what is on this CPU'
complete -c photon-dmesg -n '__photon_dmesg_is bt' -l no-fold -d 'Each task by itself, also with the same trace'
complete -c photon-dmesg -n '__photon_dmesg_is bt' -l lines -d 'File and line of each frame, by a vmlinux'
complete -c photon-dmesg -n '__photon_dmesg_is ps' -l sort -x -a 'pid time state cpu comm' -d 'In which order'
complete -c photon-dmesg -n '__photon_dmesg_is ps' -l tree -d 'Children below their parents'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -l format -x -d "The output's format" -a 'text json ndjson'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -s J -l json -d 'Print one JSON document'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -l ndjson -d 'Print a line of JSON for each'
complete -c photon-dmesg -n '__photon_dmesg_is bt ps' -l redact -d 'Placeholders for names, addresses and secrets'

# info
complete -c photon-dmesg -n '__photon_dmesg_is info' -l format -x -d "The output's format" -a 'text json'
complete -c photon-dmesg -n '__photon_dmesg_is info' -s J -l json -d 'Print one JSON document'
complete -c photon-dmesg -n '__photon_dmesg_is info' -l redact -d 'Placeholders for names, addresses and secrets'
complete -c photon-dmesg -n '__photon_dmesg_is info' -l tags -d 'List every tag of the checkpoint'
complete -c photon-dmesg -n '__photon_dmesg_is info' -l screenshot -r -F -d "Write the guest's last screen to a file (PNG)"
complete -c photon-dmesg -n '__photon_dmesg_is info' -l vmx -r -F -d "Write the machine's configuration to a file"

# profile
complete -c photon-dmesg -n '__photon_dmesg_is profile' -l release -x -d 'Which kernel, as uname -r prints it'
complete -c photon-dmesg -n '__photon_dmesg_is profile' -l all -d 'One of each kernel, to a folder'

# batch
complete -c photon-dmesg -n '__photon_dmesg_is batch' -l symbols -r -F -d 'Symbols for all tickets'
complete -c photon-dmesg -n '__photon_dmesg_is batch' -l list -r -F -d 'Read more paths from a file'
complete -c photon-dmesg -n '__photon_dmesg_is batch' -l all-snapshots -d 'Each snapshot of a VM is a ticket'
complete -c photon-dmesg -n '__photon_dmesg_is batch' -l shard -x -d 'Only the K-th of N parts'
complete -c photon-dmesg -n '__photon_dmesg_is batch' -l resume -d 'Only what is not done yet'
complete -c photon-dmesg -n '__photon_dmesg_is batch' -l gather -d 'One summary of folders of results'
complete -c photon-dmesg -n '__photon_dmesg_is batch' -s j -l jobs -x -d 'How many tickets at a time'
complete -c photon-dmesg -n '__photon_dmesg_is batch' -l memory -x -d 'How much memory to use, such as 2G'

# All commands
complete -c photon-dmesg -n '__photon_dmesg_is core batch' -s o -l output -x -a '(__fish_complete_directories)' -d 'The folder to write to'
complete -c photon-dmesg -n 'not __photon_dmesg_is core batch' -s o -l output -r -F -d 'Write to a file instead of to stdout'
complete -c photon-dmesg -l strict -d "Refuse instead of going on without an input that can't be used"
complete -c photon-dmesg -l no-cache -d 'Read packages anew and store nothing in the cache'
complete -c photon-dmesg -l no-verify -d 'Use packages whose digests or signatures do not fit'
complete -c photon-dmesg -l key -r -F -d "Verify packages' signatures with this public key too"
complete -c photon-dmesg -s q -l quiet -d 'No warnings and no progress on stderr'
complete -c photon-dmesg -s v -l verbose -d 'How each address was found, and the evidence for it'
complete -c photon-dmesg -s V -l version -d 'Print the version'
complete -c photon-dmesg -s h -l help -d 'Print help'
