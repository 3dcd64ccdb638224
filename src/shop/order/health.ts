import type { SagasInForce } from '../../application/index.ts'
import type { HealthCheck } from '../../http/index.ts'

/** The event that an order begins with. */
const orderStart = { event: 'OrderPlaced', topic: 'order-events' }

/** Of the sagas in force now: an order that none of them begins with would wait for ever. */
export const orderHealth = (sagas: SagasInForce): HealthCheck => {
  const begins = ({ start }: Startable): boolean => start.event === orderStart.event && start.topic === orderStart.topic
  if (sagas.startable().some(begins)) return sagasAreWell
  const reason =
    sagas.all().length === 0
      ? "none is published yet; that is for a process with the role 'operator', from its resources or its folder"
      : 'publish one that does; the log says which files or resources are refused'
  return { name: 'sagas', ok: false, detail: `no saga begins with ${orderStart.event}: ${reason}` }
}

type Startable = ReturnType<SagasInForce['startable']>[number]

const sagasAreWell: HealthCheck = { name: 'sagas', ok: true, detail: '' }
