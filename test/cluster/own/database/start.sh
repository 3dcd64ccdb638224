#!/bin/sh
# The key is copied, since PostgreSQL takes none that others may read.
set -eu
export PATH=/usr/lib/postgresql/15/bin:$PATH
printf secret > /data/password
initdb -D /data/files -U shop -A scram-sha-256 --pwfile /data/password -N
install -m 600 /certificate/tls.key /data/tls.key
printf 'local all all trust\nhostssl all all all scram-sha-256\n' > /data/hba.conf
exec postgres -D /data/files -c listen_addresses='*' -c unix_socket_directories=/data -c hba_file=/data/hba.conf \
  -c ssl=on -c ssl_cert_file=/certificate/tls.crt -c ssl_key_file=/data/tls.key
