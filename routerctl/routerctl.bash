# Completion of routerctl for bash: commands, options, and the names that routerd has.

_routerctl_names() { # KEY COMMAND: what the objects of the answer have under the key
    routerctl --timeout 2s -o json "$2" 2>/dev/null |
        sed -n 's/^ \{4,6\}"'"$1"'": "\([a-z0-9-]*\)",\{0,1\}$/\1/p' | sort -u
}

_routerctl() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' at
    local commands="status tenants network segments tunnels peers routes nodes topology check plan apply clear confirm rollback history diff events ping trace capture graph support version"
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        [[ " $commands " != *" ${COMP_WORDS[at]} "* ]] || command=${COMP_WORDS[at]}
    done
    case $before in
        -o | --output) mapfile -t COMPREPLY < <(compgen -W "table json yaml" -- "$word"); return ;;
        -s | --socket) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        -t | --tenant)
            mapfile -t COMPREPLY < <(compgen -W "$(_routerctl_names tenant tenants)" -- "$word")
            return ;;
        --wait | --timeout | --confirm) mapfile -t COMPREPLY < <(compgen -W "30s 1m 5m" -- "$word"); return ;;
    esac
    if [[ $word == -* ]]; then
        local options="-s --socket -t --tenant -o --output --timeout --help"
        case $command in
            apply) options+=" --wait --if-match --confirm" ;;
            rollback) options+=" --wait --if-match --confirm --dry-run" ;;
            confirm) options+=" --if-match" ;;
            events) options+=" --follow --since" ;;
            graph) options+=" --dot" ;;
            plan) options+=" --if-match" ;;
            nodes) options+=" --pool --address --mac --label" ;;
            clear) options+=" --wait --if-match --confirm --dry-run --yes" ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    case $command in
        '') mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
        network | routes | nodes | ping | trace | capture | graph)
            mapfile -t COMPREPLY < <(compgen -W "$(_routerctl_names name network)" -- "$word") ;;
        check | plan | apply) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}
complete -F _routerctl routerctl
