import Blocks
import ControlPlane
import Foundation
import Testing

@testable import Console

@Suite struct RouteTests {
    @Test("every route is found by its own method and path, and no two are the same")
    func distinct() throws {
        var seen: Set<String> = []
        for route in NativeAPI.routes {
            let path = "/" + route.pattern.map { $0.hasPrefix("{") ? "x-1" : $0 }.joined(separator: "/")
            let (found, values) = try NativeAPI.route(for: NativeRequest(method: route.method, path: path))
            #expect(found.summary == route.summary)
            #expect(values.values.allSatisfy { $0 == "x-1" })
            #expect(seen.insert("\(route.method) \(path)").inserted, "\(route.method) \(path) is there twice")
        }
    }

    @Test("an unknown path is missing; a wrong method is told which are right")
    func refusals() {
        let missing = #expect(throws: ServiceError.self) {
            try NativeAPI.route(for: NativeRequest(method: "GET", path: "/volume"))
        }
        #expect(missing?.code == .missing)
        let wrong = #expect(throws: ServiceError.self) {
            try NativeAPI.route(for: NativeRequest(method: "PUT", path: "/volumes/vol-1"))
        }
        #expect(wrong?.code == .invalid)
        #expect(wrong?.message.contains("DELETE, GET, PATCH") == true)
    }

    @Test("query parameters are known and come once", arguments: ["x=1", "offset=1&offset=2", "Offset=1"])
    func query(_ query: String) {
        #expect(throws: ServiceError.self) { try NativeAPI.parameters(of: query, known: ["offset"]) }
    }

    @Test("a query is read", arguments: [("", [:]), ("offset=5", ["offset": "5"]), ("offset", ["offset": ""])])
    func readsQuery(_ query: String, _ values: [String: String]) throws {
        #expect(try NativeAPI.parameters(of: query, known: ["offset"]) == values)
    }

    @Test("every code has a status of refusal")
    func statuses() {
        for code in ServiceError.Code.allCases {
            #expect((400...599).contains(NativeRefusal.status(of: code)))
        }
    }

    @Test("the OpenAPI document names every route")
    func openAPI() throws {
        let document = try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.json())) as? [String: Any]
        let paths = try #require(document?["paths"] as? [String: [String: Any]])
        #expect(paths.values.reduce(0) { $0 + $1.count } == NativeAPI.routes.count)
    }
}

@Suite struct DocumentTests {
    private func read<Document: NativeDocument>(_: Document.Type, _ json: String) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(json.utf8))
    }

    @Test("a new volume is read in its three forms")
    func newVolume() throws {
        let empty = try read(NewVolumeDocument.self, #"{"sizeBytes":8192,"name":"db"}"#).request
        #expect(empty.size?.bytes == 8192 && empty.name == "db" && empty.origin == .empty)
        let restored = try read(NewVolumeDocument.self, #"{"fromSnapshotId":"snap-1"}"#).request
        #expect(restored.size == nil && restored.origin == .snapshot("snap-1"))
        let cloned = try read(NewVolumeDocument.self, #"{"fromVolumeId":"vol-1","sizeBytes":1}"#).request
        #expect(cloned.origin == .volume("vol-1"))
    }

    @Test(
        "what is not a new volume is refused",
        arguments: [
            #"{"sizeBytes":"8"}"#, #"{"sizeBytes":1.5}"#, #"{"size":8}"#, #"{"fromSnapshotId":"a","fromVolumeId":"b"}"#,
            "[]", "1", "", "{", #"{"sizeBytes":99999999999999999999}"#, #"{"name":["a"]}"#,
        ])
    func badVolume(_ json: String) {
        #expect(throws: (any Error).self) { try read(NewVolumeDocument.self, json) }
    }

    @Test("a number that does not fit is refused by its name", arguments: ["1.5", "99999999999999999999"])
    func badNumber(_ number: String) {
        let error = #expect(throws: DecodingError.self) {
            try read(NewVolumeDocument.self, #"{"sizeBytes":\#(number)}"#)
        }
        #expect("\(error.debugDescription)".contains("sizeBytes"))
    }

    @Test("a name of null is a wish to take the name away; no name is no wish")
    func rename() throws {
        let away = try read(ChangedVolumeDocument.self, #"{"name":null}"#)
        #expect(away.labels == VolumeLabels(name: ""))
        #expect(try !read(ChangedVolumeDocument.self, #"{"sizeBytes":512}"#).isLabelled)
        #expect(throws: ServiceError.self) { try read(ChangedVolumeDocument.self, "{}") }
        #expect(throws: ServiceError.self) { try read(ChangedVolumeDocument.self, #"{"name":""}"#) }
        let words = try read(ChangedVolumeDocument.self, #"{"description":"d"}"#)
        #expect(words.labels == VolumeLabels(description: "d") && !words.isModified)
        let none = VolumeLabels(description: "")
        #expect(try read(ChangedVolumeDocument.self, #"{"description":null}"#).labels == none)
    }

    @Test("grace is a day unless said otherwise, and never negative")
    func grace() throws {
        #expect(try read(ReclaimDocument.self, "{}").grace == .seconds(86_400))
        #expect(try read(ReclaimDocument.self, #"{"graceSeconds":0}"#).grace == .zero)
        #expect(throws: ServiceError.self) { try read(ReclaimDocument.self, #"{"graceSeconds":-1}"#) }
    }

    @Test("a level is one of the known words")
    func level() throws {
        #expect(try read(VerifyDocument.self, "{}").level == .everything)
        #expect(try read(VerifyDocument.self, #"{"level":"sample"}"#).level == .sample)
        #expect(try read(VerifyDocument.self, #"{"level":"live"}"#).level == .live)
        #expect(throws: ServiceError.self) { try read(VerifyDocument.self, #"{"level":"deep"}"#) }
    }
}
