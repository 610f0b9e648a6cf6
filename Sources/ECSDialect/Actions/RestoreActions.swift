internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let restoreActions = [
        ECSAction("ResetDisk", isChange: true, resetDisk),
        ECSAction("ReInitDisk", isChange: true, reInitDisk),
        ECSAction(
            "ReplaceSystemDisk", isChange: true,
            lacks:
                "what is about keys, passwords and the operating system; the instance goes on telling the image it was made of",
            replaceSystemDisk),
    ]

    private static let resetDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let volume = try await call.disk()
        let snapshot = try await call.snapshot()
        try await checkReset(of: volume, to: snapshot, call)
        try call.dryRun()
        try await reset(volume, to: snapshot, call)
        return ECSFields()
    }

    private static let reInitDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let volume = try await call.disk()
        guard volume.pendingSnapshotIds.isEmpty else { throw ECSFailure.creating }
        guard volume.state == .available || volume.state == .inUse else { throw ECSFailure.diskStatus }
        if let id = DiskWords.instance(volume) {
            guard try await call.instance(named: id).state == .stopped else { throw ECSFailure.instanceStatus() }
        }
        try call.dryRun()
        do { _ = try await call.verbs.volumes.reinitialise(volume.id) } catch let error as ServiceError {
            switch (error.code, error.noun) {
            // Somebody started the instance just now.
            case (.inUse, .volume), (.inUse, .instance): throw ECSFailure.instanceStatus()
            case (.missing, .snapshot):
                throw ECSFailure(
                    403, "InvalidSourceSnapshot",
                    "The snapshot which is used to create the specified disk has been deleted.",
                    logged: error.description)
            default: throw error
            }
        }
        return ECSFields()
    }

    private static let replaceSystemDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let host = try await call.instance()
        let name = try call.parameters.needed("ImageId")
        let noImage = ECSFailure(404, "InvalidImageId.NotFound", "The specified ImageId does not exist.")
        guard let image = ECSID.native(name, .image) else { throw noImage }
        var request = ReplaceRootVolume(host.id, with: .image(image))
        request.deletesOld = true
        request.state = .stopped
        if let size = try call.parameters.number("SystemDisk.Size") {
            guard (20...2048).contains(size) else {
                throw ECSFailure(
                    400, "InvalidSize.ValueNotSupported", "The specified parameter Size is not valid.")
            }
            request.size = .gibibytes(size)
        }
        request.token = try token(call)
        try call.dryRun()
        let done: RootReplacementView
        do { done = try await call.verbs.instances.replaceRoot(request) } catch let error as ServiceError {
            throw error.code == .missing && error.noun == .image ? noImage : error
        }
        if done.state == .failed { throw ECSFailure(403, "OperationDenied", done.reason ?? "It failed.") }
        guard let made = done.newVolumeId else {
            // It goes on by itself; whoever repeats it by its token is told then.
            throw ECSFailure(
                503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
        }
        return .of { $0.add("DiskId", ECSID.name(made, .disk)) }
    }

    static func reset(_ volume: VolumeView, to snapshot: SnapshotView, _ call: ECSCall) async throws {
        do { _ = try await call.verbs.volumes.rollBack(volume.id, to: snapshot.id) } catch let error as ServiceError {
            switch (error.code, error.noun) {
            // Somebody started the instance just now.
            case (.inUse, .volume), (.inUse, .instance): throw ECSFailure.instanceStatus()
            case (.wrongState, .volume):
                throw ECSFailure(403, "Operation.Conflict", "The operation may conflicts with others.")
            case (.invalid, .snapshot): throw mismatch(isKey: false)
            default: throw error
            }
        }
    }

    static func checkReset(of volume: VolumeView, to snapshot: SnapshotView, _ call: ECSCall) async throws {
        guard volume.state == .available || volume.state == .inUse else { throw ECSFailure.diskStatus }
        if let id = DiskWords.instance(volume) {
            guard try await call.instance(named: id).state == .stopped else { throw ECSFailure.instanceStatus() }
        }
        guard snapshot.ownerId == call.caller.account, snapshot.copyOf == nil, snapshot.tier?.isArchived != true else {
            throw ECSFailure(403, "OperationDenied", "The specified snapshot dees not support ResetDisk.")
        }
        guard snapshot.volumeId == volume.id else { throw mismatch(isKey: snapshot.encrypted && !volume.encrypted) }
        guard SnapshotWords.isAvailable(snapshot) else { throw ECSFailure.notReady }
    }

    private static func mismatch(isKey: Bool) -> ECSFailure {
        ECSFailure(
            403, "InvalidParameter.Mismatch",
            isKey
                ? "Non-encrypted disk can not be reset by encrypted snapshot."
                : "The specified snapshot is not created from the specified disk.")
    }
}
