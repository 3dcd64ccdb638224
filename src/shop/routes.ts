import type { Routes } from '../http/index.ts'
import { stockRoutes } from './inventory/index.ts'
import { cancelOrderRoutes, orderRoutes } from './order/index.ts'

/** What the shop answers. */
export const shopRoutes: readonly Routes[] = [
  { register: orderRoutes },
  { register: cancelOrderRoutes },
  { register: stockRoutes }
]
