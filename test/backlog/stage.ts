import type { Config } from '../../src/config/index.ts'
import { deadLetterTopic } from '../../src/task/index.ts'
import { type Access, connect, openAccess } from '../bench/kafka/records.ts'
import { openInstallation } from '../bench/kafka/installation.ts'
import { fillShelves } from '../bench/load.ts'
import { temporaryFolder } from '../bench/processes.ts'
import { partitions, roleValues } from './chart.ts'
import { recordsOn } from './following.ts'
import { skus } from './orders.ts'
import { sagasFolder } from './product.ts'
import { type Lives, RoleProcess } from './role-process.ts'

export const shopRoles = ['order', 'inventory', 'payment', 'shipping', 'orchestrator', 'view'] as const
export type ShopRole = (typeof shopRoles)[number]
type Role = ShopRole | 'operator'

/** The product on the Kafka of the environment as the chart runs it: each role a process, with its heap and limit. */
export class Stage {
  readonly config: Config
  readonly access: Access
  readonly #variables: NodeJS.ProcessEnv
  readonly #resources: AsyncDisposableStack
  readonly #processes = new Map<string, RoleProcess>()
  /** Of those that are gone for good. */
  readonly #formerLives: Lives[] = []

  static async open(resources: AsyncDisposableStack): Promise<Stage> {
    const own = { PARCOMOLO_SAGAS: await sagasFolder(resources), PARTITIONS: String(partitions) }
    const { config, variables } = await openInstallation(resources, own)
    return new Stage(resources, config, variables, await openAccess(resources, config))
  }

  private constructor(resources: AsyncDisposableStack, config: Config, variables: NodeJS.ProcessEnv, access: Access) {
    this.#resources = resources
    this.config = config
    this.#variables = variables
    this.access = access
  }

  process(role: Role): RoleProcess {
    return this.#processes.get(role)!
  }

  /** A process that is not started yet, with a data folder of its own. */
  async add(role: Role): Promise<RoleProcess> {
    const { variables, memoryBytes } = roleValues(role)
    const former = this.#processes.get(role)
    if (former !== undefined) this.#formerLives.push(former.lives)
    const process = await RoleProcess.of(this.#resources, {
      name: role,
      memoryBytes,
      variables: {
        ...this.#variables,
        ...variables,
        PARCOMOLO_ROLES: role,
        KAFKA_CLIENT_ID: `parcomolo-${role}`,
        PARCOMOLO_DATA: temporaryFolder(this.#resources, `parcomolo-backlog-${role}-`)
      }
    })
    this.#processes.set(role, process)
    return process
  }

  /** All roles, with enough on the shelves that nothing is sold out. */
  async start(): Promise<void> {
    const processes = await Promise.all([...shopRoles, 'operator' as const].map((role) => this.add(role)))
    await Promise.all(processes.map((process) => process.start()))
    const { log, codec } = this.access
    await fillShelves({ connect: () => connect(log, codec) }, skus)
  }

  get lives(): readonly Lives[] {
    return [...this.#formerLives, ...[...this.#processes.values()].map(({ lives }) => lives)]
  }

  get isGivenUp(): boolean {
    return [...this.#processes.values()].some(({ isGivenUp }) => isGivenUp)
  }

  /** What nobody could use, which nothing here should make. */
  deadLetters(): Promise<number> {
    return recordsOn(this.access.log, deadLetterTopic.topic)
  }
}
