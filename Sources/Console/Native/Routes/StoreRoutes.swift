internal import ControlPlane

/// How long something must have been unneeded before it is freed.
struct ReclaimDocument: NativeDocument {
    static let keys = ["graceSeconds"]
    /// A day, so that a deletion by mistake can be undone.
    static let graceByDefault = 86_400
    let grace: Duration

    init(_ fields: NativeFields) throws {
        let seconds: Int = try fields.optional("graceSeconds") ?? Self.graceByDefault
        guard (0...1_000_000_000).contains(seconds) else {
            throw ServiceError(.invalid, .store, "graceSeconds is \(seconds); it must be from 0 to 1000000000")
        }
        grace = .seconds(seconds)
    }
}

/// How thoroughly to look.
struct VerifyDocument: NativeDocument {
    static let keys = ["level"]
    let level: VerifyLevel

    init(_ fields: NativeFields) throws {
        let word: String? = try fields.optional("level")
        guard let level = word.map(VerifyLevel.init(rawValue:)) ?? .everything else {
            let known = VerifyLevel.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(.invalid, .store, "the level '\(word ?? "")' is not known; known are \(known)")
        }
        self.level = level
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct TaskList: Encodable {
        let tasks: [TaskView]
    }

    static let storeRoutes = [
        NativeRoute("GET", "/store", "What the object store holds and whether it answers.") { call in
            try .json(try await call.verbs.store.status())
        },
        NativeRoute("POST", "/store/reclaim", "Frees what nothing needs.", keys: ReclaimDocument.keys) { call in
            let grace = try call.document(ReclaimDocument.self).grace
            return try .json(try await call.verbs.store.reclaim(grace: grace))
        },
        NativeRoute("POST", "/store/verify", "Checks every snapshot in the store.", keys: VerifyDocument.keys) { call in
            let level = try call.document(VerifyDocument.self).level
            return try .json(try await call.verbs.store.verify(level))
        },
        NativeRoute("GET", "/store/scrub", "How the store is read again bit by bit.") { call in
            try .json(try await call.verbs.store.scrub())
        },
        NativeRoute("POST", "/store/scrub", "Begins to read all of the store again, at once.") { call in
            try call.verbs.store.beginScrub()
            return .done
        },
        NativeRoute("GET", "/tasks", "Long operations, newest first.", query: ["limit"]) { call in
            let limit = min(try call.number("limit") ?? 100, 1000)
            return try .json(TaskList(tasks: try await call.verbs.tasks.list(limit: limit)))
        },
        NativeRoute("GET", "/tasks/{id}", "One long operation.") { call in
            try .json(try await call.verbs.tasks.show(call.value("id")))
        },
    ]
}
