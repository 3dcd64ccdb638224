#!/usr/bin/env bash
# Wraps gifts, and adds a card while there are cards: a participant made of kcat, curl and a shell.
# Every record of its contract is one string, the order's id, and that is the key as well: so it reads no values, and
# makes its own by hand. All its state is one file, the list of the answers that it has given.
set -euo pipefail
: "${KAFKA_BROKERS:?}" "${SCHEMA_REGISTRY_URL:?}"
inbox=${KAFKA_PREFIX-}gift-commands
events=${KAFKA_PREFIX-}gift-events
cards=${GIFT_CARDS:-10}
state=${GIFT_STATE:-gift-state}
mkdir -p "$state"
answers=$state/answers # lines of: command id, key, record
touch "$answers"

# decide TYPE KEY: what comes of a command that has not been here before
decide() {
  case $1 in
    WrapGift) if grep -q $'\t'"$2"$'\tGiftUnwrapped$' "$answers"; then echo GiftClosed; else echo GiftWrapped; fi ;;
    UnwrapGift) echo GiftUnwrapped ;; # also where nothing was wrapped
    AddCard) if (($(grep -c $'\tCardAdded$' "$answers") < cards)); then echo CardAdded; else echo NoCardLeft; fi ;;
  esac
}

# bytes HEX
bytes() { printf "$(sed 's/../\\x&/g' <<< "$1")"; }

# value RECORD TEXT: Confluent's frame (a zero byte, the schema's id) around Avro's string (twice its length, its bytes)
value() {
  local schema
  schema=$(curl -sS --fail "$SCHEMA_REGISTRY_URL/subjects/$events-example.gift.$1/versions/latest" |
    sed -n 's/.*"id": *\([0-9]*\).*/\1/p')
  ((${#2} < 64)) # beyond that the length has two bytes
  bytes "$(printf '00%08x%02x' "$schema" $((2 * ${#2})))"
  printf %s "$2"
}

# reply ID KEY RECORD: the same key, and which command this answers
reply() {
  value "$3" "$2" > "$state/value"
  kcat -P -b "$KAFKA_BROKERS" -t "$events" -k "$2" -H "ce_causationid=$1" "$state/value"
}

# Kafka counts a command as read once kcat has it. One that is lost with this process is sent again, with the same id.
kcat -G "${KAFKA_PREFIX-}gift" -b "$KAFKA_BROKERS" -q -u -f '%k\t,%h,\n' \
  -X auto.offset.reset=earliest -X session.timeout.ms=6000 "$inbox" |
  while IFS=$'\t' read -r key headers; do
    id=${headers#*,ce_id=} && id=${id%%,*}
    type=${headers#*,ce_type=} && type=${type%%,*}
    record=$(awk -F'\t' -v id="$id" '$1 == id { print $3; exit }' "$answers") # the same answer to a command again
    if [ -z "$record" ]; then
      record=$(decide "$type" "$key")
      [ -n "$record" ] || continue # no command of ours
      printf '%s\t%s\t%s\n' "$id" "$key" "$record" >> "$answers"
    fi
    reply "$id" "$key" "$record"
    printf '%s\t%s\n' "$record" "$headers"
  done
