# Runs a command that becomes a database server, as the first process of a container whose data is gone when it stops.
# SIGUSR1 kills the server and starts it again. A server that ends in any other way ends the container.
# Its arguments are the data directory, the exit code that says that its disk is full, and the command.
data=$1 full=$2
shift 2
again='' stop=''
trap 'again=yes; kill -9 "$server"' USR1
trap 'stop=full; kill -9 "$server"' USR2
trap 'kill -TERM "$server"' TERM INT

# MariaDB takes NULL for "anywhere"; it gets a folder in which nobody can write and nothing is to be read.
case $( (mysqld --version || mariadbd --version) 2>/dev/null) in
*MariaDB*) set -- "$@" --secure-file-priv=/mnt ;;
*) set -- "$@" --secure-file-priv=NULL ;;
esac

# MySQL waits for room when it cannot write its binary log, so that a full disk would hang it. It is ended while there is some left.
(while sleep 0.25; do
  df -P "$data" | {
    read -r _
    read -r _ size _ free _
    [ "$free" -ge $((size / 16)) ]
  } || kill -USR2 1
done) &

while :; do
  # A name that begins with a dot is no database, and keeps no server from making its data directory.
  mkdir -p "$data/.tmp" && chmod 1777 "$data/.tmp"
  again=''
  "$@" &
  server=$!
  wait "$server"
  status=$?
  # A signal interrupts wait.
  while kill -0 "$server" 2>/dev/null; do
    wait "$server"
    status=$?
  done
  if [ "$stop" ]; then
    echo "instep: the disk is full" >&2
    exit "$full"
  fi
  [ "$again" ] || exit "$status"
done
