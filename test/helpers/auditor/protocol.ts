import {
  type AuditEvent,
  type AuditRecord,
  at,
  type Journals,
  type Value,
  type Violation,
  violation
} from './events.ts'

const rule = '9.7 journal'

/**
 * What the journal protocol leaves behind, as far as records can tell: positions that only rise, and commands that
 * arrived, each as it was decided.
 */
export const auditProtocol = (journals: Journals, isQuiet: boolean): Violation[] => [
  ...auditPositions(journals),
  ...auditOffsets(journals),
  ...auditForwarding(journals, isQuiet)
]

/** Part of 9.7: folding a journal gives the same positions that its writer had. */
const auditPositions = (journals: Journals): Violation[] => {
  const found: Violation[] = []
  const highest = new Map<string, { value: number; record: AuditRecord }>()
  const rise = (name: string, value: number, record: AuditRecord): void => {
    const key = `${record.topic}/${record.partition} ${name}`
    const before = highest.get(key)
    if (before !== undefined && value < before.value)
      found.push(
        violation(
          rule,
          `the position '${name}' of ${record.topic} went back from ${before.value} to ${value}`,
          before.record,
          record
        )
      )
    highest.set(key, { value, record })
  }
  for (const record of journals.records) {
    const positions = JSON.parse(record.headers['parcomolo-positions'] ?? '{}') as Record<string, number>
    for (const [name, value] of Object.entries(positions)) rise(name, value, record)
    const forwarded = record.headers['parcomolo-forwarded']
    if (forwarded !== undefined) rise('forwarded', Number(forwarded), record)
    if (forwarded !== undefined && Number(forwarded) > record.offset)
      found.push(
        violation(rule, `${record.topic} says that it has forwarded up to ${forwarded}, beyond itself`, record)
      )
  }
  return found
}

/** Journals and inboxes have no gaps. */
const auditOffsets = (journals: Journals): Violation[] => {
  const found: Violation[] = []
  const next = new Map<string, number>()
  for (const record of journals.records) {
    if (!/-(events|commands)$/.test(record.topic)) continue
    const place = `${record.topic}/${record.partition}`
    const expected = next.get(place) ?? 0
    if (record.offset !== expected) found.push(violation(rule, `${place} has no record at ${expected}`, record))
    next.set(place, record.offset + 1)
  }
  return found
}

/**
 * Every command that a saga has issued is in its inbox, under its id and with the journal's offset; and nothing else
 * comes from that journal.
 */
const auditForwarding = (journals: Journals, isQuiet: boolean): Violation[] => {
  const found: Violation[] = []
  const issued = new Map<string, AuditEvent>()
  for (const event of journals.events('saga-events')) if (senders.has(event.type)) issued.set(at(event), event)
  const arrived = new Set<string>()
  for (const command of inboxes.flatMap((inbox) => journals.events(inbox))) {
    const source = command.headers['ce_source'] ?? ''
    if (!source.startsWith('/saga-events/')) continue
    const place = `${source.slice(1)}/${command.headers['ce_sequence']}`
    const event = issued.get(place)
    if (event === undefined || !isSent(event, command))
      found.push(
        violation('9.7 forwarding', `a command says that it comes from ${place}, which did not send it`, command)
      )
    arrived.add(place)
  }
  const missing = [...issued].filter(([place]) => !arrived.has(place)).map(([, event]) => event)
  if (isQuiet && missing.length > 0)
    found.push(violation('9.7 forwarding', 'commands were issued that never reached their inbox', ...missing))
  return found
}

const senders = new Set(['CommandIssued', 'HandedOver'])

const isSent = ({ type, value }: AuditEvent, command: AuditEvent): boolean =>
  type === 'HandedOver' ? isHandedOn(value, command) : isIssued(value, command)

const isHandedOn = (value: Value, command: AuditEvent): boolean =>
  command.topic === 'orchestrator-commands' &&
  command.key === value['key'] &&
  ['saga', 'key', 'kind', 'topic', 'partition', 'offset'].every((member) => command.value[member] === value[member])

const isIssued = (value: Value, command: AuditEvent): boolean =>
  command.headers['ce_id'] === value['commandId'] &&
  command.topic === value['inbox'] &&
  command.type === value['command']

const inboxes = [
  'order-commands',
  'inventory-commands',
  'payment-commands',
  'shipping-commands',
  'loyalty-commands',
  'orchestrator-commands'
]
