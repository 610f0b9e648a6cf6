internal import ControlPlane

extension KingsoftCall {
    /// The caller's volume that the parameter names.
    ///
    /// - Throws: that there is none, whether it is another's, gone, or was never given.
    func volume(_ parameter: String = "VolumeId") async throws -> VolumeView {
        try await volume(uuid: parameters.required(parameter))
    }

    func volume(uuid: String) async throws -> VolumeView {
        guard let id = KingsoftID.id(uuid, .volume) else { throw KingsoftFailure.noVolume }
        let volume = try await verbs.volumes.show(id)
        // Deleted, and waiting for its snapshots to be uploaded.
        guard volume.state != .deleting else { throw KingsoftFailure.noVolume }
        return volume
    }

    /// The caller's snapshot that the parameter names.
    func snapshot(_ parameter: String = "SnapshotId") async throws -> SnapshotView {
        let uuid = try parameters.required(parameter)
        guard let id = KingsoftID.id(uuid, .snapshot) else { throw KingsoftFailure.noSnapshot }
        return try await verbs.snapshots.find(id)
    }

    /// The caller's snapshot of that UUID, which must be available.
    func availableSnapshot(uuid: String) async throws -> SnapshotView {
        guard let id = KingsoftID.id(uuid, .snapshot) else { throw KingsoftFailure.noSnapshot }
        let snapshot = try await verbs.snapshots.find(id)
        guard SnapshotWords.isAvailable(snapshot) else {
            throw KingsoftFailure(
                .snapshotStatusError, "The snapshot is \(SnapshotWords.state(snapshot)); available is allowed.")
        }
        return snapshot
    }

    /// The caller's instance that the parameter names, which was not terminated.
    func instance(_ parameter: String = "InstanceId") async throws -> InstanceView {
        try await instance(uuid: parameters.required(parameter))
    }

    func instance(uuid: String) async throws -> InstanceView {
        guard let id = KingsoftID.id(uuid, .instance) else { throw KingsoftFailure.noInstance }
        let instance = try await verbs.instances.show(id)
        guard instance.state != .terminated else { throw KingsoftFailure.noInstance }
        return instance
    }

    /// What the client sends so that its request is done once; nil without.
    func token() throws(KingsoftFailure) -> RequestToken? {
        guard let text = parameters["ClientToken"] else { return nil }
        guard text.unicodeScalars.count <= 64 else { throw .wrong("ClientToken", "It has at most 64 characters.") }
        return RequestToken(text, fingerprint: parameters.fingerprint(without: ["ClientToken"]))
    }
}
