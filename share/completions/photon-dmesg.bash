# SPDX-License-Identifier: Apache-2.0
# bash completion of photon-dmesg. Needs bash 4.1 or later and nothing else.
#
# _photon_dmesg has taken the command line apart when it calls one of the functions below. They see
# its variables: `value` is what has to be completed, and `prefix` stands before it in the same word
# ("--format=").

# Has bash complete nothing by itself, files neither.
_photon_dmesg_nothing() {
  compopt +o bashdefault +o default 2>/dev/null
}

# Completes to one of the words given.
_photon_dmesg_words() {
  mapfile -t COMPREPLY < <(compgen -P "$prefix" -W "$*" -- "$value")
  _photon_dmesg_nothing # else
}

# Completes the last item of a comma-separated list to one of the words given that the list does not
# hold yet. Another item may follow, so no blank does.
_photon_dmesg_list() {
  local item items=()
  for item in "$@"; do
    [[ ,$value == *",$item,"* ]] || items+=("$item")
  done
  [[ $value != *,* ]] || prefix+=${value%,*},
  value=${value##*,}
  _photon_dmesg_words "${items[@]}"
  compopt -o nospace 2>/dev/null
}

# Completes a list of levels: +NAME after a "+", NAME+ after a whole name.
_photon_dmesg_levels() {
  local name last=${value##*,} items=()
  for name in emerg alert crit err warn notice info debug; do
    if [[ $last == +* ]]; then
      items+=("+$name")
    elif [[ $last == "$name" || $last == "$name+" ]]; then
      items+=("$name" "$name+")
    else
      items+=("$name")
    fi
  done
  _photon_dmesg_list "${items[@]}"
}

# Completes files, or folders where $1 is -d. What this does not find, as within quotes, bash's own
# completion may.
_photon_dmesg_files() {
  mapfile -t COMPREPLY < <(compgen -P "$prefix" "${1:--f}" -- "$value")
  compopt -o filenames 2>/dev/null
  [[ ${1-} != -d ]] || compopt +o bashdefault +o default -o dirnames 2>/dev/null
}

_photon_dmesg() {
  local IFS=$' \t\n'
  local commands="triage bt ps info core profile batch help"
  local options="--strict --no-cache --no-verify --key -q --quiet -v --verbose -V --version -h --help"
  local takes_value=" -l --level -f --facility --since --until --grep -A --after-context
    -B --before-context -C --context --head --tail --from-seq --time-format --format -o --output
    --key --screenshot --vmx --release --pid --comm --cpu --sort --fail-on
    --symbols --list --shard -j --jobs --memory "
  takes_value=${takes_value//$'\n'/}
  local command='' option='' has_file='' ended='' prefix='' value='' glue='' word words=() last i
  COMPREPLY=()

  # bash takes words apart at "=" and ":".
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    last=$((${#words[@]} - 1))
    if [[ $i -gt 1 && ( -n $glue || $word == [=:]* ) ]]; then
      words[last]+=$word
      if [[ $word == [=:]* ]]; then glue=yes; else glue=; fi
    else
      words+=("$word")
    fi
  done
  last=$((${#words[@]} - 1))
  value=${words[last]}
  # What of the word is there already, and is not to be in COMPREPLY.
  local given=${value%"${COMP_WORDS[COMP_CWORD]}"}
  [[ ${COMP_WORDS[COMP_CWORD]} != [=:]* || $COMP_CWORD -le 1 ]] || given=$value

  # What stands before it.
  for ((i = 1; i < last; i++)); do
    word=${words[i]}
    if [[ -n $option ]]; then
      option= # this was its value
    elif [[ -n $ended || $word != -?* ]]; then
      [[ -n $has_file || -n $command || " $commands " != *" $word "* ]] || command=$word
      has_file=yes
    elif [[ $word == -- ]]; then
      ended=yes
    elif [[ $word == --* ]]; then
      [[ $takes_value != *" $word "* ]] || option=$word
    else # one letter or several; the first that takes a value takes the rest, or else the next word
      word=${word#-}
      while [[ -n $word && $takes_value != *" -${word:0:1} "* ]]; do word=${word:1}; done
      [[ ${#word} -ne 1 ]] || option=-$word
    fi
  done

  if [[ -z $option && -z $ended && $value == --*=* ]]; then
    option=${value%%=*}
    prefix=$option=
    value=${value#*=}
  fi

  case $command in
    bt)
      options+=" -a --all --blocked --pid --comm --cpu --no-fold --lines --format -J --json"
      options+=" --ndjson --redact -o --output"
      ;;
    ps)
      options+=" --blocked --pid --comm --cpu --sort --tree --format -J --json --ndjson"
      options+=" --redact -o --output"
      ;;
    triage)
      options+=" --format --fail-on --log --hash --redact -J --json --ndjson -o --output"
      ;;
    info) options+=" --format -J --json --tags --screenshot --vmx --redact -o --output" ;;
    core) options+=" -o --output" ;;
    profile) options+=" --release --all -o --output" ;;
    help) options="-V --version -h --help" ;;
    *)
      if [[ $command == batch ]]; then
        options+=" --symbols --list --all-snapshots --shard --resume --gather -j --jobs --memory"
      fi
      options+=" -l --level -f --facility -k --kernel -u --userspace --since --until --grep"
      options+=" -i --ignore-case -A --after-context -B --before-context -C --context"
      options+=" --head --tail --from-seq --since-clear --cleared --unprinted -T --ctime"
      options+=" -t --notime -d --show-delta -e --reltime --time-format --utc -H --human -L"
      options+=" --color -P --nopager --no-pager -x --decode -r --raw -p --force-prefix"
      options+=" --noescape -J --json --ndjson --format --redact -o --output"
      ;;
  esac
  if [[ -n $option && " $options " != *" $option "* ]]; then
    _photon_dmesg_nothing # the command does not have it
    return
  fi

  case $option in
    -l | --level) _photon_dmesg_levels ;;
    -f | --facility)
      _photon_dmesg_list kern user mail daemon auth syslog lpr news uucp cron authpriv ftp \
        res{0..3} local{0..7}
      ;;
    --format)
      case $command in
        triage) _photon_dmesg_words text json ndjson markdown html ;;
        bt | ps) _photon_dmesg_words text json ndjson ;;
        info) _photon_dmesg_words text json ;;
        *)
          _photon_dmesg_words text json ndjson dmesg-json ecs otlp journal-json journal-export \
            syslog kmsg
          ;;
      esac
      ;;
    --fail-on) _photon_dmesg_list any lockup panic oops deadlock hard_lockup soft_lockup \
      storage_stalled frozen_file_system blocked_tasks rcu_stall out_of_memory ;;
    --time-format) _photon_dmesg_list ctime notime delta reltime iso raw suspend ;;
    --color) _photon_dmesg_words auto always never ;;
    --sort) _photon_dmesg_words pid time state cpu comm ;;
    -o | --output)
      if [[ $command == core || $command == batch ]]; then _photon_dmesg_files -d; else _photon_dmesg_files; fi
      ;;
    --key | --screenshot | --vmx | --symbols | --list) _photon_dmesg_files ;;
    ?*) _photon_dmesg_nothing ;; # a number, a time, a text
    *)
      if [[ -z $ended && $value == -* ]]; then
        _photon_dmesg_words "$options"
      elif [[ $command == help ]]; then
        # shellcheck disable=SC2086 # a list of words
        _photon_dmesg_words $commands
      else
        _photon_dmesg_files
        if [[ -z $has_file && -z $ended ]]; then # a command may be the first
          mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$commands" -- "$value")
        fi
      fi
      ;;
  esac
  COMPREPLY=("${COMPREPLY[@]#"$given"}")
}

complete -o bashdefault -o default -F _photon_dmesg photon-dmesg
