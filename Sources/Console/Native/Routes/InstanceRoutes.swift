internal import ControlPlane

/// A new instance.
struct NewInstanceDocument: NativeDocument {
    static let keys = ["zone", "kind", "isKept", "tags"]
    let request: NewInstances

    init(_ fields: NativeFields) throws {
        var request = NewInstances(zone: try fields.optional("zone"), kind: try fields.optional("kind") ?? "host")
        request.isKept = try fields.optional("isKept") ?? false
        request.tags = try fields.optional("tags") ?? [:]
        self.request = request
    }
}

/// What of an instance is to change.
struct ChangedInstanceDocument: NativeDocument {
    static let keys = ["state", "isKept"]
    let state: InstanceView.State?
    let isKept: Bool?

    init(_ fields: NativeFields) throws {
        isKept = try fields.optional("isKept")
        let word: String? = try fields.optional("state")
        state = try word.map { word in
            guard let state = InstanceView.State(rawValue: word), state != .terminated else {
                throw ServiceError(.invalid, .instance, "the state is '\(word)'; it is running or stopped")
            }
            return state
        }
        guard state != nil || isKept != nil else {
            throw ServiceError(.invalid, .instance, "there is nothing to change: give state or isKept")
        }
    }
}

/// A volume that is to be on an instance.
struct NewDiskDocument: NativeDocument {
    static let keys = ["volumeId", "device", "goesWithInstance"]
    let volume: String
    let device: String?
    let goesWithInstance: Bool

    init(_ fields: NativeFields) throws {
        volume = try fields.required("volumeId")
        device = try fields.optional("device")
        goesWithInstance = try fields.optional("goesWithInstance") ?? false
    }
}

/// A new disk for an instance to start from: of a snapshot, of an image, or as when it was launched.
struct NewRootDocument: NativeDocument {
    static let keys = ["snapshotId", "imageId", "deletesOld", "tags"]
    private let content: ReplaceRootVolume.Content
    private let deletesOld: Bool
    private let tags: [String: String]

    init(_ fields: NativeFields) throws {
        let snapshot: String? = try fields.optional("snapshotId")
        let image: String? = try fields.optional("imageId")
        content =
            switch (snapshot, image) {
            case (nil, nil): .launch
            case (let snapshot?, nil): .snapshot(snapshot)
            case (nil, let image?): .image(image)
            case (_?, _?): throw ServiceError(.invalid, .instance, "give snapshotId or imageId, not both")
            }
        deletesOld = try fields.optional("deletesOld") ?? false
        tags = try fields.optional("tags") ?? [:]
    }

    func request(of instance: String) -> ReplaceRootVolume {
        var request = ReplaceRootVolume(instance, with: content)
        request.deletesOld = deletesOld
        request.tags = tags
        return request
    }
}

/// What an agent says of its host.
struct QuiescingDocument: NativeDocument {
    static let keys = ["agent", "report", "waitSeconds"]
    let agent: String
    let report: QuiesceReport?
    let waitSeconds: Int

    init(_ fields: NativeFields) throws {
        agent = try fields.required("agent")
        report = try fields.optional("report")
        waitSeconds = try fields.optional("waitSeconds") ?? InstanceService.turnSeconds.upperBound
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct RootReplacementList: Encodable {
        let rootReplacements: [RootReplacementView]
    }

    /// The JSON of a list.
    struct InstanceList: Encodable {
        let instances: [InstanceView]
    }

    static let instanceRoutes = [
        NativeRoute("GET", "/instances", "Every instance, oldest first.") { call in
            try .json(InstanceList(instances: try await call.verbs.instances.list()))
        },
        NativeRoute(
            "POST", "/instances", "Makes an instance: a host to attach volumes to.", keys: NewInstanceDocument.keys
        ) {
            call in
            let request = try call.document(NewInstanceDocument.self).request
            return try .json(try await call.verbs.instances.launch(request)[0], status: 201)
        },
        NativeRoute("GET", "/instances/{id}", "One instance.") { call in
            try .json(try await call.verbs.instances.show(call.value("id")))
        },
        NativeRoute(
            "PATCH", "/instances/{id}", "Says that it runs or not, or protects it.", keys: ChangedInstanceDocument.keys
        ) { call in
            let change = try call.document(ChangedInstanceDocument.self)
            let id = call.value("id")
            if let isKept = change.isKept { _ = try await call.verbs.instances.set(isKept: isKept, of: id) }
            if let state = change.state { _ = try await call.verbs.instances.set(state, of: id) }
            return try .json(try await call.verbs.instances.show(id))
        },
        NativeRoute("DELETE", "/instances/{id}", "Terminates an instance; disks that go with it are deleted.") { call in
            try .json(try await call.verbs.instances.terminate(call.value("id")))
        },
        NativeRoute(
            "POST", "/instances/{id}/root-replacements",
            "Exchanges the disk that an instance starts from for a new one.",
            keys: NewRootDocument.keys
        ) { call in
            let request = try call.document(NewRootDocument.self).request(of: call.value("id"))
            return try .json(try await call.verbs.instances.replaceRoot(request), status: 201)
        },
        NativeRoute(
            "GET", "/instances/{id}/root-replacements", "How far such exchanges of an instance are, oldest first."
        ) { call in
            let all = try await call.verbs.instances.rootReplacements(of: call.value("id"))
            return try .json(RootReplacementList(rootReplacements: all))
        },
        NativeRoute("POST", "/instances/{id}/disks", "Attaches a volume to an instance.", keys: NewDiskDocument.keys) {
            call in
            let disk = try call.document(NewDiskDocument.self)
            return try .json(
                try await call.verbs.instances.attach(
                    disk.volume, to: call.value("id"), as: disk.device, goesWithInstance: disk.goesWithInstance),
                status: 201)
        },
        NativeRoute(
            "POST", "/instances/{id}/quiescing",
            "For its host's agent: says how far it came to rest, and waits for what is to be done.",
            keys: QuiescingDocument.keys, isSmallTalk: true
        ) { call in
            let said = try call.document(QuiescingDocument.self)
            return try .json(
                try await call.verbs.instances.quiescing(
                    call.value("id"), by: said.agent, said.report, waiting: said.waitSeconds))
        },
        NativeRoute("DELETE", "/instances/{id}/disks/{volume}", "Detaches a volume from an instance.") { call in
            try await call.verbs.instances.detach(call.value("volume"), from: call.value("id"), as: nil)
            return .done
        },
    ]
}
