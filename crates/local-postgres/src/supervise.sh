# Makes a cluster and runs its server for as long as the owner holds the other end of
# standard input, which the kernel closes however the owner ends. Then removes everything.
# usage: supervise BIN DIRECTORY SERVER-ARGUMENT...

trap '' HUP INT QUIT TERM
umask 077
bin=$1 directory=$2
shift 2
exec 3<&0 </dev/null
mkdir "$directory" || exit 1
exec >"$directory/log" 2>&1

# An owner that ends meanwhile doesn't interrupt initdb: what it would leave half made and
# still running is harder to clear away than waiting for it is long.
if "$bin/initdb" --pgdata="$directory/data" --username=postgres --auth=trust \
    --encoding=UTF8 --locale=C --no-sync; then
    "$bin/postgres" -D "$directory/data" -k "$directory" "$@" &
    server=$!
    {
        cat <&3
        # Immediate shutdown. Repeated, because a server that has just been started
        # doesn't hear the first.
        while [ ! -e "$directory/ended" ] && kill -QUIT "$server" 2>/dev/null; do
            sleep 0.01
        done
    } &
    wait "$server"
fi

# Ends the wait of an owner that still waits for the server, and keeps the log for it to read.
touch "$directory/ended"
wait
cat <&3
rm -rf "$directory"
