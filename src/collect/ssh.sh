# Tells what a Linux host is, runs and talks to. Sent on standard input to "sh -s"; writes nothing, leaves nothing.
# Arguments: samples, seconds between them, "sudo" to ask for more with sudo where that needs no password.
# Every section begins with a line "#@ name"; what is missing on a host leaves its section empty.

section() { printf '\n#@ %s\n' "$1"; }
have() { command -v "$1" >/dev/null 2>&1; }
# No section may be endless, and no program may hang: a file server that is gone stops df for ever.
bounded() { head -c "${1:-1000000}"; }
patient() { if have timeout; then timeout 10 "$@"; else "$@"; fi 2>/dev/null; }
rooted() { if [ -n "$SUDO" ]; then patient sudo -n "$@"; else patient "$@"; fi; }

hardware() {
    section machine
    printf 'hostname %s\n' "$(uname -n)"
    printf 'kernel %s\n' "$(uname -r)"
    printf 'system %s\n' "$(uname -s)"
    printf 'architecture %s\n' "$(uname -m)"
    printf 'connection %s\n' "$SSH_CONNECTION"
    [ -d /sys/firmware/efi ] && echo 'firmware uefi'
    [ -d /sys/firmware/efi ] || { [ -d /sys/class/dmi/id ] && echo 'firmware bios'; }
    for key in sys_vendor product_name; do
        [ -r /sys/class/dmi/id/$key ] && printf '%s %s\n' $key "$(head -n 1 /sys/class/dmi/id/$key 2>/dev/null)"
    done
    for key in product_uuid product_serial; do
        printf '%s %s\n' $key "$(rooted cat /sys/class/dmi/id/$key | head -n 1)"
    done
    have systemd-detect-virt && printf 'virtualisation %s\n' "$(patient systemd-detect-virt)"
    printf 'machine_id %s\n' "$(cat /etc/machine-id 2>/dev/null)"
    set -- /sys/devices/system/node/node[0-9]*
    [ -e "$1" ] && printf 'numa_nodes %s\n' $#
    awk -F ': *' '
        /^processor/ { threads++ }
        /^physical id/ { sockets[$2] = 1; socket = $2 }
        /^core id/ { cores[socket "/" $2] = 1 }
        /^model name/ && !model { model = $2 }
        END {
            print "threads " threads + 0
            n = 0; for (s in sockets) n++; if (n) print "sockets " n
            n = 0; for (c in cores) n++; if (n) print "cores " n
            if (model) print "cpu_model " model
        }' /proc/cpuinfo 2>/dev/null
    awk '/^MemTotal:/ { print "memory_kib " $2 }' /proc/meminfo 2>/dev/null
    section os-release
    cat /etc/os-release 2>/dev/null | bounded 20000
    section gpu
    have nvidia-smi && patient nvidia-smi -L | bounded 20000
}

storage() {
    section disks
    for disk in /sys/block/*; do
        name=${disk##*/}
        case $name in loop* | ram* | zram* | dm-* | md* | sr* | fd* | nbd* | '*') continue ;; esac
        size=$(cat "$disk/size" 2>/dev/null)
        [ "${size:-0}" -gt 0 ] && [ "$(cat "$disk/removable" 2>/dev/null)" != 1 ] || continue
        printf 'disk %s %s %s\n' "$name" "$size" "$(cat "$disk/queue/rotational" 2>/dev/null)"
        for part in "$disk"/*/partition; do
            [ -e "$part" ] || continue
            part=${part%/partition}
            printf 'on %s %s\n' "${part##*/}" "$name"
        done
    done | bounded
    for below in /sys/block/dm-*/slaves/* /sys/block/md*/slaves/*; do
        [ -e "$below" ] || continue
        above=${below%/slaves/*}
        printf 'on %s %s\n' "${above##*/}" "${below##*/}"
    done | bounded
    section filesystems
    { patient df -PkT -l || patient df -Pk; } | while read -r device rest; do
        case $device in /dev/*) printf '%s %s %s\n' "$device" "$(readlink -f "$device" 2>/dev/null)" "$rest" ;; esac
    done | bounded
}

network() {
    section addresses
    if have ip; then patient ip -o link; patient ip -o addr; fi | bounded
    section routes
    if have ip; then patient ip route; patient ip -6 route; fi | bounded 200000
    section ufw
    have ufw && rooted ufw status verbose | bounded 200000
    section firewalld
    have firewall-cmd && rooted firewall-cmd --list-all | bounded 200000
    section iptables
    have iptables-save && rooted iptables-save -t filter | bounded
    section nft
    have nft && rooted nft list ruleset | bounded
    section listening
    if have ss; then rooted ss -tulnpe; fi | bounded
    section conntrack
    if have conntrack; then rooted conntrack -L; else rooted cat /proc/net/nf_conntrack; fi | bounded 4000000
}

programs() {
    section processes
    cat /proc/[0-9]*/status 2>/dev/null | awk '
        /^Name:/ { sub(/^Name:[ \t]*/, ""); name = $0 }
        /^Pid:/ { pid = $2 }
        /^PPid:/ { parent = $2 }
        /^Uid:/ { uid = $2 }
        /^VmRSS:/ { print pid, parent, uid, $2, name }' | bounded 2000000
    section executables
    rooted ls -l /proc/[0-9]*/exe | awk '{
        for (i = 1; i <= NF; i++) if ($i ~ /^\/proc\//) { split($i, part, "/"); print part[3], $(i + 2); break }
    }' | bounded
    cat /proc/[0-9]*/status 2>/dev/null | awk '/^Name:/ { print $2 }' | sort -u | while read -r name; do
        case $name in -* | */*) continue ;; esac
        path=$(command -v "$name" 2>/dev/null)
        case $path in /*) printf '%s %s\n' "$name" "$(readlink -f "$path")" ;; esac
    done | bounded
    section owners
    {
        rooted ls -l /proc/[0-9]*/exe | sed -n 's/.* -> \(\/[^ ]*\)$/\1/p'
        cat /proc/[0-9]*/status 2>/dev/null | awk '/^Name:/ { print $2 }' | sort -u | while read -r name; do
            case $name in -* | */*) continue ;; esac
            path=$(command -v "$name" 2>/dev/null)
            case $path in /*) readlink -f "$path" ;; esac
        done
    } | sort -u | head -n 300 | while read -r path; do
        if have dpkg; then
            owner=$(dpkg -S "$path" 2>/dev/null || dpkg -S "${path#/usr}" 2>/dev/null)
            [ -n "$owner" ] && printf '%s %s\n' "$path" "${owner%%:*}"
        elif have rpm; then
            owner=$(rpm -qf --qf '%{NAME}' "$path" 2>/dev/null) && printf '%s %s\n' "$path" "$owner"
        fi
    done | bounded
    section packages
    if have dpkg-query; then
        patient dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\n' | awk -F '\t' '/^ii/ { print $2 "\t" $3 }'
    elif have rpm; then
        patient rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}\n'
    elif have apk; then
        patient apk info -v | sed 's/-\([0-9][^-]*-r[0-9]*\)$/\t\1/'
    elif have pacman; then
        patient pacman -Q | tr ' ' '\t'
    fi | sort -u | bounded 2000000
    section units
    have systemctl && patient systemctl list-units --type=service --state=running --no-legend --no-pager --plain | bounded
    section timers
    have systemctl && patient systemctl list-units --type=timer --state=active --no-legend --no-pager --plain | bounded
    section cron
    # The program alone: arguments may hold passwords.
    for file in /etc/crontab /etc/cron.d/*; do
        [ -f "$file" ] && rooted cat "$file"
    done | awk '/^[ \t]*[0-9*]/ && NF >= 7 { print $1, $2, $3, $4, $5, $6, $7 } /^[ \t]*@/ && NF >= 3 { print $1, $2, $3 }' | bounded 200000
    user=$(id -un)
    crontab -l 2>/dev/null | awk -v user="$user" '
        /^[ \t]*[0-9*]/ && NF >= 6 { print $1, $2, $3, $4, $5, user, $6 }
        /^[ \t]*@/ && NF >= 2 { print $1, user, $2 }' | bounded 200000
    section containers
    for engine in docker podman; do
        have $engine && rooted $engine ps --no-trunc --format "$engine"'	{{.Names}}	{{.Image}}	{{.Ports}}'
    done | bounded
    have crictl && rooted crictl ps | awk 'NR > 1 { print "containerd\t" $7 "\t" $2 "\t" }' | bounded
    data_stores
}

# The name of a data store's program, its version, and the KiB its folder takes where that may be read.
data_stores() {
    section data-stores
    cat /proc/[0-9]*/status 2>/dev/null | awk '
        /^Name:/ { name = $2 } /^Pid:/ { pid = $2 }
        /^PPid:/ { names[pid] = name; parents[pid] = $2 }
        END { for (p in names) if (names[parents[p]] != names[p]) print p, names[p] }' | while read -r pid name; do
        arguments=$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | head -n 200)
        folder=
        case $name in
            postgres | postmaster)
                kind=postgresql
                folder=$(printf '%s\n' "$arguments" | awk 'next_one { print; exit } $0 == "-D" { next_one = 1 } /^-D./ { print substr($0, 3); exit }') ;;
            mysqld | mariadbd)
                kind=$name
                folder=$(printf '%s\n' "$arguments" | sed -n 's/^--datadir=//p' | head -n 1)
                folder=${folder:-/var/lib/mysql} ;;
            redis-server | valkey-server) kind=${name%-server} ;;
            mongod)
                kind=mongodb
                folder=$(printf '%s\n' "$arguments" | awk 'next_one { print; exit } $0 == "--dbpath" { next_one = 1 } /^--dbpath=/ { print substr($0, 10); exit }')
                folder=${folder:-/var/lib/mongodb} ;;
            memcached) kind=memcached ;;
            etcd)
                kind=etcd
                folder=$(printf '%s\n' "$arguments" | awk 'next_one { print; exit } $0 == "--data-dir" { next_one = 1 } /^--data-dir=/ { print substr($0, 12); exit }') ;;
            java)
                case $arguments in
                    *kafka.Kafka*) kind=kafka ;;
                    *org.elasticsearch.bootstrap* | *org.elasticsearch.server*) kind=elasticsearch ;;
                    *org.apache.cassandra*) kind=cassandra ;;
                    *) continue ;;
                esac ;;
            *) continue ;;
        esac
        program=$(rooted readlink "/proc/$pid/exe")
        [ -n "$program" ] || program=$(printf '%s\n' "$arguments" | head -n 1 | awk '{ sub(/:$/, "", $1); print $1 }')
        version=
        case $kind in
            kafka) version=$(printf '%s\n' "$arguments" | sed -n 's/.*kafka_[0-9.]*-\([0-9.]*[0-9]\)\.jar.*/\1/p' | head -n 1) ;;
            elasticsearch | cassandra) ;;
            *) case $program in *[!A-Za-z0-9/._-]* | '') ;; *) version=$(patient "$program" --version | head -n 1) ;; esac ;;
        esac
        size=
        # Of a folder that may not be read, du knows only what its name takes.
        case $folder in /*) rooted test -r "$folder" && size=$(rooted du -sk "$folder" | awk 'END { print $1 }') ;; esac
        printf '%s\t%s\t%s\t%s\n' "$pid" "$kind" "$size" "$version"
    done | bounded 200000
}

# One moment: processor time, memory, bytes of real interfaces, and every connection with what it carried.
moment() {
    read -r uptime _ </proc/uptime
    printf 'at %s\n' "$uptime"
    head -n 1 /proc/stat
    awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { available = $2; known = 1 }
         /^(MemFree|Buffers|Cached):/ { free += $2 }
         END { print "memory " total - (known ? available : free) }' /proc/meminfo
    awk -F '[: ]+' '/:/ { sub(/^ +/, ""); if ($1 != "lo") print "net " $1, $2, $10 }' /proc/net/dev
    if have ss; then
        ss -tin state established 2>/dev/null | awk '
            /^[0-9]/ { if (ends) print "tcp " ends, sent, received; ends = $3 " " $4; sent = "-"; received = "-"; next }
            /^[ \t]/ {
                for (i = 1; i <= NF; i++) {
                    if ($i ~ /^bytes_acked:/) sent = substr($i, 13)
                    if ($i ~ /^bytes_received:/) received = substr($i, 16)
                }
            }
            END { if (ends) print "tcp " ends, sent, received }'
    else
        awk 'FNR > 1 && $4 == "01" { print "hex " $2, $3 } FNR > 1 && $4 == "0A" { print "listen " $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
    fi | bounded "$most"
}

collect() {
    LC_ALL=C
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    export LC_ALL PATH
    samples=$1
    every=$2
    SUDO=
    [ "$3" = sudo ] && [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null && SUDO=1
    # What one sample may take of the room that all share.
    most=$((4000000 / samples + 100000))
    [ "$(id -u)" = 0 ] && SUDO_OR_ROOT=root || SUDO_OR_ROOT=${SUDO:+sudo}
    section rights
    echo "${SUDO_OR_ROOT:-user}"
    hardware
    section samples
    moment
    storage
    network
    programs
    section samples
    taken=1
    while [ "$taken" -lt "$samples" ]; do
        sleep "$every"
        moment
        taken=$((taken + 1))
    done
    section end
}
collect "$@" </dev/null 2>/dev/null
