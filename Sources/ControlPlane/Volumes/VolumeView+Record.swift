internal import Blocks
internal import Catalog
internal import VolumeEngine

extension VolumeView {
    /// What the catalog and the engine say of a volume, put together. Asks the file system: blocks briefly.
    ///
    /// - Parameter isLost: did the snapshot that it may still need fail?
    init(_ record: VolumeRecord, _ attachments: [AttachmentRecord], isLost: Bool, _ house: Household) {
        self.init(
            id: record.id, name: record.name, state: .available, sizeBytes: record.size.bytes,
            createdAt: record.createdAt)
        description = record.description
        self.attachments = attachments.map { AttachmentView($0, house) }
        attachment = self.attachments.first
        uri = attachment?.uri
        isShared = record.isShared
        wasAttached = record.wasAttached
        encrypted = record.dataKey != nil
        keyId = record.keyID
        originSnapshotId = record.originSnapshot
        fastRestored = record.isFastRestored
        fillRate = record.fillRate
        sourceVolumeId = record.sourceVolume
        zone = record.zone ?? house.region.zones[0].name
        holes = record.holes.map { SnapshotDamageView.ranges($0, below: record.size) }
        switch house.live[record.id] {
        case .open(let volume):
            fill(from: volume.status, isLost: isLost)
            add(volume.setAside)
        case .quarantined(let why):
            reason = why
            state = .quarantined
        case nil: break
        }
        isPaced = record.isPaced && house.holdsPaces
        profile = VolumeProfile(
            named: record.kind, size: ByteCount(sizeBytes), iops: record.iops, throughput: record.throughput)
        switch record.state {
        case .creating, .importing: state = .creating
        case .deleting: state = .deleting
        case .available: if state == .available, attachment != nil { state = .inUse }
        }
    }

    /// What is still pending of the time before a roll back, and takes up space.
    private mutating func add(_ setAside: [Volume]) {
        let old = setAside.map(\.status)
        allocatedBytes += old.reduce(0) { $0 + $1.allocated.bytes }
        pendingSnapshotIds = old.flatMap(\.pendingSnapshots) + pendingSnapshotIds
    }

    private mutating func fill(from status: VolumeStatus, isLost: Bool) {
        sizeBytes = status.size.bytes
        allocatedBytes = status.allocated.bytes
        dirtyBytes = status.dirty.bytes
        parentSnapshotId = status.parent
        pendingSnapshotIds = status.pendingSnapshots
        if status.isFailed {
            state = .error
            reason = "its disk failed: what was written may not be durable; restore it from a snapshot"
        }
        guard let source = status.source else { return }
        if isLost, reason == nil {
            state = .error
            reason = "what it is made from failed before all of it was here: delete it and make it anew"
        }
        let total = max(status.toHydrate, status.hydrated)
        hydration = Hydration(
            isComplete: false, sourceSnapshotId: source, totalBytes: total.bytes,
            remainingBytes: (total - status.hydrated).bytes,
            progress: total > .zero ? Double(status.hydrated.bytes) / Double(total.bytes) : 0,
            remainingSeconds: status.hydrationLeft.map { Int($0.components.seconds) })
        if let problem = status.hydrationProblem, reason == nil { reason = problem }
    }
}

extension AttachmentView {
    init(_ record: AttachmentRecord, _ house: Household) {
        self.init(
            host: record.host, exportName: record.export, uri: house.exports.uri(of: record.export),
            networkUri: house.exports.networkURI(of: record.export), attachedAt: record.attachedAt)
        device = record.device
        goesWithInstance = record.goesWithInstance
        socket = record.place.flatMap { house.exports.socket(of: $0) }
    }
}
