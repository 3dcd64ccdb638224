import type { FastifyInstance } from 'fastify'
import { didYouMean, errorCodes } from '../../base/index.ts'
import { preferredType } from '../accept.ts'
import { escaped, page } from '../html.ts'
import { quoted, sendProblem } from '../problem.ts'
import { json } from '../route-docs.ts'
import { anyId, errorExplanation, pathParameters } from '../schemas.ts'

/** `/errors/{code}`: what `type` of a problem points to. */
export const errorRoutes = (http: FastifyInstance): void => {
  http.get(
    '/errors/:code',
    {
      schema: {
        tags: ['Service'],
        summary: 'Cause and remedy of an error code, as JSON or HTML',
        params: pathParameters({ code: anyId }),
        response: { 200: json('The explanation', errorExplanation) }
      },
      config: { docs: { problems: ['PARCOMOLO_HTTP_NOT_FOUND'] } }
    },
    async (request, reply) => {
      const { code } = request.params as { code: string }
      const explanation = Object.entries(errorCodes).find(([name]) => name === code)?.[1]
      if (explanation === undefined) {
        const detail = `there is no error code ${quoted(code)}${didYouMean(code, Object.keys(errorCodes))}`
        return sendProblem(reply, 'PARCOMOLO_HTTP_NOT_FOUND', detail)
      }
      const { cause, remedy } = explanation
      reply.header('vary', 'Accept')
      if (preferredType(request.headers.accept, ['application/json', 'text/html']) !== 'text/html')
        return reply.send({ code, cause, remedy })
      const body = `<p><b>Cause.</b> ${escaped(cause)}</p><p><b>Remedy.</b> ${escaped(remedy)}</p>`
      return reply.type('text/html; charset=utf-8').send(page(code, body))
    }
  )
}
