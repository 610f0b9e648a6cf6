internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let volumeStatusActions = [
        EC2Action(
            "DescribeVolumeStatus", isChange: false, lacks: "events and actions: there are none", describeVolumeStatus),
        EC2Action("DescribeVolumeAttribute", isChange: false) { call in
            try call.dryRun()
            let id = try EC2Identifier.volume(call)
            guard let attribute = call.parameters["Attribute"], !attribute.isEmpty else {
                throw EC2Failure.combination("No attributes specified.")
            }
            guard ["autoEnableIO", "productCodes"].contains(attribute) else {
                throw EC2Failure.invalidValue(
                    "Value (\(attribute)) for parameter attribute is invalid. Unknown attribute.")
            }
            _ = try await volume(id, call)
            let startsItself = try await call.verbs.volumes.startsIOItself(id)
            return .elements { writer in
                writer.add("volumeId", id)
                if attribute == "autoEnableIO" {
                    writer.add("autoEnableIO") { $0.add("value", startsItself) }
                } else {
                    writer.list("productCodes", [String]()) { $0.add("productCode", $1) }
                }
            }
        },
        EC2Action("ModifyVolumeAttribute", isChange: true) { call in
            try call.dryRun()
            let id = call.parameters["VolumeId"] ?? ""
            guard EC2Identifier.isForm(id, prefix: "vol-") else {
                throw EC2Failure("InvalidVolumeID.Malformed", "The volume ID '\(id)' is malformed")
            }
            guard let wanted = try call.parameters.flag("AutoEnableIO.Value") else {
                throw EC2Failure.combination("No attributes specified.")
            }
            _ = try await volume(id, call)
            try await call.verbs.volumes.set(startsIOItself: wanted, of: id)
            return .done
        },
        EC2Action("EnableVolumeIO", isChange: true, lacks: "a volume's I/O is never turned off") { call in
            try call.dryRun()
            let volume = try await volume(try EC2Identifier.volume(call), call)
            switch volume.state {
            case .error, .quarantined:
                throw EC2Failure(
                    "IncorrectState", "Volume \(volume.id) cannot have its IO enabled: \(volume.reason ?? "it failed")")
            case .creating, .available, .inUse, .deleting:
                throw EC2Failure("IncorrectState", "Volume \(volume.id) already has IO enabled.")
            }
        },
    ]

    private static let describeVolumeStatus: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let ids = call.parameters.list("VolumeId")
        for id in ids where !EC2Identifier.isForm(id, prefix: "vol-") {
            let expected = id.hasPrefix("vol-") ? "" : " (expecting \"vol-...\")"
            throw EC2Failure("InvalidVolumeID.Malformed", "Invalid id: \"\(id)\"\(expected)")
        }
        let paging = try Paging(call, ids: ids.isEmpty ? nil : "volumeIdsSet")
        let filters = try Filters(call.parameters, known: VolumeStatusWords.filters)
        var volumes = try await call.verbs.volumes.list().filter { $0.state != .deleting }.sorted { $0.id < $1.id }
        if !ids.isEmpty {
            let known = Set(volumes.map(\.id))
            if let unknown = ids.first(where: { !known.contains($0) }) { throw EC2Identifier.noVolume(unknown) }
            volumes = volumes.filter { ids.contains($0.id) }
        }
        volumes = try volumes.filter { volume in
            try filters.match(tags: []) { VolumeStatusWords.values(of: $0, volume, call) }
        }
        let page = paging.page(of: volumes, call) { $0.id }
        return .elements { writer in
            writer.list("volumeStatusSet", page.items) { VolumeStatusWords.write($1, call, into: &$0) }
            writer.add("nextToken", page.next)
        }
    }
}
