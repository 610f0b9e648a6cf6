internal import ControlPlane

extension KingsoftDialect {
    static let recycleActions: [KingsoftAction] = [
        .change(.ebs, "DeleteVolume", lacks: "whoever is no administrator cannot empty the recycle bin", deleteVolume),
        .change(.ebs, "RecoveryVolume") { call in
            let id = try binnedID(call)
            guard try await call.verbs.bin.holds(id) else {
                _ = try await call.volume()
                throw KingsoftFailure(.volumeStatusError, "The volume is not recycling.")
            }
            try call.dryRun()
            _ = try await call.verbs.bin.restoreVolume(id)
            return .done
        },
    ]

    /// Days that a deleted volume stays in the recycle bin.
    private static let recycleDays = 7

    private static let deleteVolume: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let isForced = try call.parameters.flag("ForceDelete") ?? false
        let id = try binnedID(call)
        if isForced, try await call.verbs.bin.holds(id) {
            try call.dryRun()
            try await call.verbs.bin.empty(id)
            return .done
        }
        let volume = try await call.volume()
        guard volume.attachment == nil else { throw statusError(volume, allowed: "available, error") }
        try call.dryRun()
        try await call.verbs.volumes.delete(id, keptFor: isForced ? nil : recycleDays)
        return .done
    }

    private static func binnedID(_ call: KingsoftCall) throws(KingsoftFailure) -> String {
        guard let id = KingsoftID.id(try call.parameters.required("VolumeId"), .volume) else { throw .noVolume }
        return id
    }
}
