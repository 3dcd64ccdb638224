import type { Routes } from '../http/index.ts'
import { stockRoutes } from './inventory/index.ts'
import { orderRoutes, type Selling } from './order/index.ts'

/** What the shop answers, in the order of the OpenAPI document. */
export const shopRoutes = (selling: Selling): readonly Routes[] => [orderRoutes(selling), stockRoutes]
