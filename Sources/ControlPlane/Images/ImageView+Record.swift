internal import Blocks
internal import Catalog

extension ImageView {
    /// As `caller` may see it, at a time.
    ///
    /// - Parameter shareeTags: what their account wrote on it, if it is another's.
    init(_ whole: WholeImage, for caller: Caller, at now: WallTime, shareeTags: [String: String]? = nil) {
        let image = whole.image
        let state: State =
            switch image.state {
            case .pending: .pending
            case .available: image.isDisabled ? .disabled : .available
            case .failed, .deregistered: .failed
            }
        self.init(
            id: image.id, ownerId: image.account, name: image.name, description: image.description, state: state,
            reason: image.reason, traits: ImageTraits(image), rootDevice: image.rootDevice,
            disks: whole.disks.map { Disk($0) }, sharing: SnapshotSharing(whole.shares),
            protection: Protection(image.protection), protectedUntil: image.protectedUntil,
            deprecatedAt: image.deprecatedAt,
            isDeprecated: image.deprecatedAt.map { $0 <= now } ?? false, sourceInstanceId: image.sourceInstance,
            sourceImageId: image.sourceImage,
            sourceRegion: image.sourceRegion, tags: whole.tags.isEmpty ? nil : whole.tags, createdAt: image.createdAt)
        policy = whole.made.map { SnapshotPolicyView($0) }
        if image.account != caller.account {
            hide(from: caller, whole.shares)
            tags = shareeTags
        }
    }

    /// Others are not told what else is in the account.
    private mutating func hide(from caller: Caller, _ shares: [String]) {
        sharing = SnapshotSharing(shares.filter { [caller.account, ShareRecord.everybody].contains($0) })
        reason = nil
        tags = nil
        protection = nil
        protectedUntil = nil
        sourceInstanceId = nil
        sourceImageId = nil
        sourceRegion = nil
        policy = nil
    }
}

extension ImageView.Disk {
    init(_ record: ImageDiskRecord) {
        self.init(
            device: record.device, snapshotId: record.snapshotID, sizeBytes: record.size.bytes,
            profile: record.kind.map { VolumeProfile(kind: $0, iops: record.iops, throughput: record.throughput) },
            goesWithInstance: record.goesWithInstance, encrypted: record.isEncrypted)
    }
}

extension ImageView.Protection {
    init(_ record: ImageRecord.Protection) {
        self =
            switch record {
            case .off: .off
            case .on: .on
            case .cooldown: .cooldown
            }
    }
}

extension ImageTraits {
    init(_ record: ImageRecord) {
        architecture = record.architecture
        virtualization = record.virtualization
        hasENA = record.hasENA
        sriov = record.sriov
        bootMode = record.bootMode
        tpm = record.tpm
        imds = record.imds
    }

    func write(to record: inout ImageRecord) {
        record.architecture = architecture
        record.virtualization = virtualization
        record.hasENA = hasENA
        record.sriov = sriov
        record.bootMode = bootMode
        record.tpm = tpm
        record.imds = imds
    }

    func check() throws {
        for word in [architecture, virtualization, sriov, bootMode, tpm, imds].compactMap({ $0 }) {
            try Limits.check(name: word, .image)
        }
    }
}

extension ImageView {
    /// The disk of that name, `/dev/sda1` or `/dev/xvda1`, or nil.
    public func disk(named device: String) -> Disk? {
        guard let name = try? DeviceName(device) else { return nil }
        return disks.first { (try? DeviceName($0.device)) == name }
    }
}
