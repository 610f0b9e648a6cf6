internal import Catalog

/// The rules of volumes that several instances may have at a time (Amazon and Alibaba: Multi-Attach).
///
/// All of them read and write one device, so each sees what any other was told is written; what they make of that is for them to
/// settle: a file system that one machine mounts is destroyed by a second. Each has an export of its own, which can be taken
/// from it alone.
enum SharedVolume {
    /// Instances, and this host, that may have one at a time.
    ///
    /// Source: Amazon EBS user guide, "Considerations and limitations" of Multi-Attach.
    static let hostsMax = 16

    /// The kind must allow it. Nil: the first kind.
    static func check(kind: String?, isShared: Bool) throws {
        guard isShared else { return }
        let name = kind ?? VolumeKind.gp2.name
        guard VolumeKind.named(name)?.mayBeShared == true else {
            let kinds = VolumeKind.all.filter(\.mayBeShared).map(\.name).joined(separator: " or ")
            throw ServiceError(
                .invalid, .volume, "a volume of kind \(name) cannot be shared by several instances: take \(kinds)")
        }
    }

    /// Takes a wish into the record, whose kind is the new one already; nil: as it is. One of io1 is what it was made as.
    static func change(_ record: inout VolumeRecord, to wanted: Bool?) throws {
        if let wanted, wanted != record.isShared {
            guard record.kind != VolumeKind.io1.name else {
                throw ServiceError(
                    .invalid, .volume,
                    "whether several instances may have \(record.id) was settled when it was made: it is of kind io1")
            }
            record.isShared = wanted
        }
        try check(kind: record.kind, isShared: record.isShared)
    }

    /// Not more may have it than its record allows, and no instance starts from what others have too.
    static func check(_ record: VolumeRecord, _ session: CatalogSession) throws {
        let all = try session.volumeAttachments(ofVolume: record.id), count = all.count
        for one in all { try check(device: one.device, of: record) }
        guard count <= 1 || record.isShared else {
            throw ServiceError(
                .wrongState, .volume, "the volume \(record.id) is on \(count) instances: detach it from all but one")
        }
    }

    /// A boot disk is one instance's alone.
    static func check(device: String?, of record: VolumeRecord) throws {
        guard record.isShared, DeviceName.isBoot(device) else { return }
        throw ServiceError(
            .wrongState, .volume, "the volume \(record.id) is shared: no instance starts from it, as \(device ?? "")")
    }

    /// May one more have it, beside `others`?
    static func check(_ others: [AttachmentRecord], on volume: String) throws {
        guard others.count < hostsMax else {
            throw ServiceError(
                .limitExceeded, .attachment, "the volume \(volume) is on \(others.count) instances: that is the most")
        }
    }

    /// The name of the export that a host gets.
    static func export(of record: VolumeRecord, to host: String) -> String {
        record.isShared ? "\(record.id).\(host)" : record.id
    }
}

extension Household {
    /// Takes every export of a volume away. In the volume's lane.
    func withdraw(volume id: String) async throws {
        let offered = try await catalog.change { try $0.volumeAttachments(ofVolume: id) }
        for name in Set([id] + offered.map(\.export)) { await exports.withdraw(name) }
    }
}
