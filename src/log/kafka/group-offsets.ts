import type { Admin, Connector } from './kafkajs.ts'

/**
 * How far other people's groups have read, by the offsets that they have committed. One connection, opened at need; the
 * next question after a failure opens another.
 */
export class GroupOffsets {
  readonly #connector: Connector
  #admin: Promise<Admin> | undefined

  constructor(connector: Connector) {
    this.#connector = connector
  }

  /** By partition, where there is one. Rejects with kafkajs' error. */
  async committed(groupId: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const opened = (this.#admin ??= this.#open())
    try {
      const [found] = await (await opened).fetchOffsets({ groupId, topics: [topic] })
      const offsets = (found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)] as const)
      // Kafka says -1 where nothing was committed.
      return new Map(offsets.filter(([, offset]) => offset >= 0))
    } catch (error) {
      if (this.#admin === opened) await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const opened = this.#admin
    this.#admin = undefined
    await opened?.then((admin) => admin.disconnect()).catch(() => undefined)
  }

  async #open(): Promise<Admin> {
    const admin = this.#connector.admin()
    await admin.connect()
    return admin
  }
}
