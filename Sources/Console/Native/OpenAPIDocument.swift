internal import FoundationEssentials

/// The OpenAPI description of the native API, made from the table of routes.
public enum OpenAPIDocument {
    /// The document as JSON. The same in every call; ask once and keep it.
    public static func json() -> [UInt8] {
        var paths: [String: [String: Operation]] = [:]
        for route in NativeAPI.routes {
            paths["/" + route.pattern.joined(separator: "/"), default: [:]][route.method.lowercased()] =
                Operation(route)
        }
        let document = Document(paths: paths)
        return (try? NativeAnswer.json(document).body) ?? Array("{}".utf8)
    }

    private struct Document: Encodable {
        struct About: Encodable {
            var title = "Varve's native API"
            var version = "1"
        }
        struct Server: Encodable {
            var url = "/api/v1"
        }
        var openapi = "3.1.0"
        var info = About()
        var servers = [Server()]
        var paths: [String: [String: Operation]]
    }

    private struct Parameter: Encodable {
        var name: String
        var place: String
        var required: Bool
        var schema = ["type": "string"]
        enum CodingKeys: String, CodingKey {
            case name, place = "in", required, schema
        }
    }

    private struct Body: Encodable {
        struct Content: Encodable {
            struct Schema: Encodable {
                struct Anything: Encodable {}
                var type: String
                var properties: [String: Anything]?
            }
            var schema: Schema
        }
        var content: [String: Content]
    }

    private struct Operation: Encodable {
        struct Answer: Encodable {
            var description: String
        }
        var summary: String
        var parameters: [Parameter]
        var requestBody: Body?
        var responses = [
            "2XX": Answer(description: "Done; JSON, or nothing."),
            "default": Answer(description: "Refused: {\"error\":{\"code\",\"noun\",\"message\"}}."),
        ]

        init(_ route: NativeRoute) {
            summary = route.summary
            let inPath = route.pattern.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            parameters =
                inPath.map { Parameter(name: $0, place: "path", required: true) }
                + (route.query + [NativeAPI.region]).map { Parameter(name: $0, place: "query", required: false) }
            if route.takesBytes {
                let bytes = Body.Content(schema: .init(type: "string"))
                requestBody = Body(content: ["application/octet-stream": bytes])
            } else if !route.keys.isEmpty {
                let properties = Dictionary(
                    uniqueKeysWithValues: route.keys.map { ($0, Body.Content.Schema.Anything()) })
                let object = Body.Content(schema: .init(type: "object", properties: properties))
                requestBody = Body(content: ["application/json": object])
            }
        }
    }
}
