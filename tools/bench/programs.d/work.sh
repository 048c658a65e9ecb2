# What shell scripts do: many short processes.
export PATH=
busybox() { /bin/busybox "$@"; }
i=0
while [ $i -lt 200 ]; do
    name=$(busybox basename /some/where/file$i.txt .txt)
    case $name in *7) busybox echo "$name" | busybox tr a-z A-Z ;; *) echo "$name" ;; esac
    busybox expr $i '*' 3
    i=$((i + 1))
done
busybox head -n 200 /bench/text | busybox sort | busybox uniq -c | busybox tail -n 20
