internal import Blocks
internal import ControlPlane

extension KingsoftDialect {
    static let volumeChangeActions: [KingsoftAction] = [
        .change(.ebs, "ResizeVolume", lacks: "OnlineResize makes no difference", resizeVolume),
        .change(.ebs, "ModifyVolume", modifyVolume),
    ]

    private static let resizeVolume: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        guard let size = try call.parameters.number("Size", in: 1...65_536) else {
            throw KingsoftFailure.required("Size")
        }
        _ = try call.parameters.flag("OnlineResize")
        let volume = try await call.volume(), present = VolumeTypes.gibibytes(volume.sizeBytes)
        guard size > present else {
            throw KingsoftFailure.wrong("Size", "It is \(size); the volume has \(present) GB, and can only grow.")
        }
        try mustBeReady(volume)
        var change = ModifyVolume(size: .gibibytes(size))
        if let kind = VolumeKind.named(volume.profile.kind), kind.family == .kingsoft {
            let grown = try profile(kind, size, KingsoftParameters())
            change.profile = kind.iops == nil ? grown : volume.profile.keepingWhatWasAsked(kind, of: volume, at: size)
        }
        try call.dryRun()
        _ = try await call.verbs.volumes.modify(volume.id, change)
        return .done
    }

    private static let modifyVolume: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let name = try Names.name("VolumeName", call), goes = try call.parameters.flag("DeleteWithInstance")
        let description = try Names.description("VolumeDesc", call)
        let volume = try await call.volume()
        if goes != nil, volume.attachment == nil { throw statusError(volume, allowed: "in-use") }
        try call.dryRun()
        if name != nil || description != nil {
            _ = try await call.verbs.volumes.label(volume.id, VolumeLabels(name: name, description: description))
        }
        if let goes { try await call.verbs.instances.set(goesWithInstance: goes, of: volume.id) }
        return .done
    }

    static func mustBeReady(_ volume: VolumeView) throws(KingsoftFailure) {
        guard volume.state == .available || volume.state == .inUse else {
            throw statusError(volume, allowed: "available, in-use")
        }
    }

    static func statusError(_ volume: VolumeView, allowed: String) -> KingsoftFailure {
        KingsoftFailure(
            .volumeStatusError, "The volume is \(VolumeWords.state(volume.state)); allowed are: \(allowed).")
    }
}

extension VolumeProfile {
    /// As many operations beyond what its size gives as it has now.
    fileprivate func keepingWhatWasAsked(_ kind: VolumeKind, of volume: VolumeView, at gibibytes: Int) -> VolumeProfile
    {
        let before = VolumeProfile(kind, size: ByteCount(volume.sizeBytes)).iops ?? 0
        let after = VolumeProfile(kind, size: .gibibytes(gibibytes)).iops ?? 0
        guard let iops, iops > before else { return VolumeProfile(kind: kind.name) }
        return VolumeProfile(kind: kind.name, iops: after + iops - before)
    }
}
