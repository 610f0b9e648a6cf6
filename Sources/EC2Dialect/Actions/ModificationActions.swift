internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let modificationActions = [
        EC2Action("ModifyVolume", isChange: true, modifyVolume),
        EC2Action("DescribeVolumesModifications", isChange: false, describeModifications),
    ]

    private static let modifyVolume: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let id = try EC2Identifier.volume(call)
        let volume = try await volume(id, call)
        guard volume.state == .available || volume.state == .inUse else {
            throw EC2Failure("IncorrectState", "Volume \(id) must be in the available or in-use state to be modified.")
        }
        let plan = try ChangedVolumePlan(call.parameters, of: volume)
        let made = try await call.verbs.volumes.modify(id, plan.request)
        // It holds at once. Clients expect to wait for it, and find it completed when they look.
        return .elements { writer in
            writer.add("volumeModification") { write(made, "modifying", progress: 0, into: &$0) }
        }
    }

    private static let describeModifications: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let ids = call.parameters.list("VolumeId")
        for id in ids {
            guard id.hasPrefix("vol-") else {
                throw EC2Failure.invalidValue("Value (\(id)) for parameter volumeId is invalid. Expected: 'vol-...'.")
            }
            guard EC2Identifier.isForm(id, prefix: "vol-") else {
                throw EC2Failure("InvalidVolumeID.Malformed", "Value ( \(id) ) for parameter VOLUME is invalid. ")
            }
        }
        let paging = try Paging(
            call, ids: ids.isEmpty ? nil : "volumeModificationSet", atMost: 500, words: .modifications)
        let filters = try Filters(call.parameters, known: modificationFilters)
        var found = try await call.verbs.volumes.modifications()
        for id in ids {
            _ = try await volume(id, call)
            guard found.contains(where: { $0.volumeId == id }) else {
                throw EC2Failure(
                    "InvalidVolumeModification.NotFound", "Modification for volume '\(id)' does not exist.")
            }
        }
        if !ids.isEmpty { found = found.filter { ids.contains($0.volumeId) } }
        found = try found.filter { one in try filters.match(tags: []) { values(of: $0, one) } }
        let page = paging.page(of: found, call) { $0.volumeId }
        return .elements { writer in
            writer.list("volumeModificationSet", page.items) { write($1, "completed", progress: 100, into: &$0) }
            writer.add("nextToken", page.next)
        }
    }

    private static let modificationFilters: Set<String> = [
        "modification-state", "original-iops", "original-multi-attach-enabled", "original-size", "original-throughput",
        "original-volume-type", "start-time", "target-iops", "target-multi-attach-enabled", "target-size",
        "target-throughput", "target-volume-type", "volume-id",
    ]

    private static func values(of filter: String, _ one: VolumeModificationView) -> [String] {
        func text(_ number: Int?) -> [String] { number.map { [String($0)] } ?? [] }
        return switch filter {
        case "modification-state": ["completed"]
        case "original-iops": text(one.oldProfile.iops)
        case "original-multi-attach-enabled": [String(one.oldIsShared)]
        case "target-multi-attach-enabled": [String(one.newIsShared)]
        case "original-size": text(VolumeWords.gibibytes(one.oldSizeBytes))
        case "original-throughput": text(one.oldProfile.throughput)
        case "original-volume-type": [one.oldProfile.kind]
        case "start-time": [VolumeWords.wholeSeconds(one.startedAt)]
        case "target-iops": text(one.newProfile.iops)
        case "target-size": text(VolumeWords.gibibytes(one.newSizeBytes))
        case "target-throughput": text(one.newProfile.throughput)
        case "target-volume-type": [one.newProfile.kind]
        case "volume-id": [one.volumeId]
        default: []
        }
    }

    private static func write(
        _ one: VolumeModificationView, _ state: String, progress: Int, into writer: inout XMLWriter
    ) {
        writer.add("volumeId", one.volumeId)
        writer.add("modificationState", state)
        writer.add("targetSize", VolumeWords.gibibytes(one.newSizeBytes))
        writer.add("targetIops", one.newProfile.iops)
        writer.add("targetVolumeType", one.newProfile.kind)
        writer.add("targetThroughput", one.newProfile.throughput)
        writer.add("targetMultiAttachEnabled", one.newIsShared)
        writer.add("originalSize", VolumeWords.gibibytes(one.oldSizeBytes))
        writer.add("originalIops", one.oldProfile.iops)
        writer.add("originalVolumeType", one.oldProfile.kind)
        writer.add("originalThroughput", one.oldProfile.throughput)
        writer.add("originalMultiAttachEnabled", one.oldIsShared)
        writer.add("progress", progress)
        writer.add("startTime", VolumeWords.wholeSeconds(one.startedAt))
        if state == "completed" { writer.add("endTime", VolumeWords.wholeSeconds(one.startedAt)) }
    }
}

/// What ModifyVolume asks for, checked with the words of Amazon.
struct ChangedVolumePlan {
    let request: ModifyVolume

    init(_ parameters: RequestParameters, of volume: VolumeView) throws(EC2Failure) {
        let size = try NewVolumePlan.positive(parameters, "Size")
        let wantedKind = parameters["VolumeType"].flatMap { $0.isEmpty ? nil : $0 }
        var iops = try NewVolumePlan.positive(parameters, "Iops")
        var throughput = try NewVolumePlan.positive(parameters, "Throughput")
        let isShared = try parameters.flag("MultiAttachEnabled")
        guard size != nil || wantedKind != nil || iops != nil || throughput != nil || isShared != nil else {
            throw .invalidValue(
                "Invalid input: Must specify at least one of size, type, iops, throughput or multi-attach.")
        }
        // What another cloud's client made may stay of a kind that Amazon does not have.
        let present = wantedKind == nil ? VolumeKind.named(volume.profile.kind) : nil
        let kind = if let present { present } else { try NewVolumePlan.kind(wantedKind) }
        let before = VolumeWords.gibibytes(volume.sizeBytes)
        let gibibytes = size ?? before
        guard gibibytes >= before else { throw .invalidValue("New size cannot be smaller than existing size") }
        if kind.name == volume.profile.kind {
            // What is not named stays, where the kind has it at all.
            if kind.iops != nil { iops = iops ?? volume.profile.iops }
            if kind.throughput != nil { throughput = throughput ?? volume.profile.throughput }
        } else {
            let isFromGp2 = volume.profile.kind == VolumeKind.gp2.name && kind == .gp3
            let baseline = isFromGp2 ? volume.profile.iops ?? 0 : 0
            if kind.iops != nil { iops = iops ?? max(3000, baseline) }
            if kind.throughput != nil { throughput = throughput ?? min(250, max(125, baseline / 4)) }
        }
        // A volume that was made too large for its kind by other means may still become faster.
        let isSized = size != nil || kind.name != volume.profile.kind || kind.gibibytes.contains(gibibytes)
        let fault =
            kind.combinationFault(iops: iops, throughput: throughput)
            ?? kind.rangeFault(gibibytes: isSized ? gibibytes : nil, iops: iops, throughput: throughput)
        if let fault {
            throw EC2Failure(fault, of: kind, gibibytes: gibibytes, iops: iops, throughput: throughput)
        }
        request = ModifyVolume(
            size: size == nil || gibibytes == before ? nil : .gibibytes(gibibytes),
            profile: VolumeProfile(kind: kind.name, iops: iops, throughput: throughput), isShared: isShared)
        guard isShared ?? volume.isShared else { return }
        guard kind.mayBeShared else { throw NewVolumePlan.notShared(kind) }
    }
}
