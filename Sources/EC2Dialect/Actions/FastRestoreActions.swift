internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let fastRestoreActions = [
        EC2Action("EnableFastSnapshotRestores", isChange: true) { call in
            try await change(call, to: "enabling") { try await $0.restoreFast($1, in: $2) }
        },
        EC2Action("DisableFastSnapshotRestores", isChange: true) { call in
            try await change(call, to: "disabling") { try await $0.restoreNoMoreFast($1, in: $2) }
        },
        EC2Action("DescribeFastSnapshotRestores", isChange: false) { call in
            try call.dryRun()
            let paging = try Paging(call, ids: nil, atLeast: 0, atMost: 200)
            let filters = try Filters(
                call.parameters,
                known: ["availability-zone", "availability-zone-id", "owner-id", "snapshot-id", "state"])
            let found = try await call.verbs.snapshots.fastRestores().filter { one in
                try filters.match(tags: []) { name in
                    switch name {
                    case "availability-zone": [one.zone]
                    case "availability-zone-id": call.region.zone(one.zone).map { [$0.id] } ?? []
                    case "owner-id": [one.ownerId]
                    case "snapshot-id": [one.snapshotId]
                    case "state": [one.state.rawValue]
                    default: []
                    }
                }
            }
            let page = paging.page(of: found, call) { "\($0.snapshotId)/\($0.zone)" }
            return .elements { writer in
                writer.list("fastSnapshotRestoreSet", page.items) { writer, one in
                    let isAsked = one.state == .enabling || one.state == .disabling
                    let reason = "Client.UserInitiated" + (isAsked ? "" : " - Lifecycle state transition")
                    write(one, one.state.rawValue, reason: reason, call, into: &writer)
                    writeTimes(one, into: &writer)
                }
                writer.add("nextToken", page.next)
            }
        },
    ]

    /// Snapshots that one request may name.
    private static let snapshotsMax = 10

    private struct Refused {
        let snapshot: String
        let zone: String
        let failure: EC2Failure
    }

    /// Does it for each snapshot in each zone: what is refused is told beside what is done.
    private static func change(
        _ call: EC2Call, to state: String, _ body: (SnapshotService, String, String) async throws -> FastRestoreView
    ) async throws -> XMLWriter {
        try call.dryRun()
        let ids = call.parameters.list("SourceSnapshotId")
        let zones = call.parameters.list("AvailabilityZone") + call.parameters.list("AvailabilityZoneId")
        guard !ids.isEmpty else { throw EC2Failure.missing("SourceSnapshotIds") }
        guard !zones.isEmpty else { throw EC2Failure.missing("AvailabilityZones") }
        guard ids.count <= snapshotsMax, zones.count <= 26 else {
            throw EC2Failure.invalidValue("At most \(snapshotsMax) snapshots may be specified.")
        }
        for id in ids { _ = try EC2Identifier.snapshot(id) }
        var done: [FastRestoreView] = []
        var refused: [Refused] = []
        for id in ids {
            for zone in zones {
                do { done.append(try await body(call.verbs.snapshots, id, zone)) } catch let error as ServiceError {
                    refused.append(Refused(snapshot: id, zone: zone, failure: try failure(error, id, zone)))
                }
            }
        }
        return .elements { writer in
            writer.list("successful", done) { writer, one in
                write(one, state, reason: "Client.UserInitiated", call, into: &writer)
                writeTimes(one, into: &writer)
            }
            writer.list("unsuccessful", ids.filter { id in refused.contains { $0.snapshot == id } }) { writer, id in
                writer.add("snapshotId", id)
                writer.list("fastSnapshotRestoreStateErrorSet", refused.filter { $0.snapshot == id }) { writer, one in
                    writer.add("availabilityZone", one.zone)
                    writer.add("error") { writer in
                        writer.add("code", one.failure.code)
                        writer.add("message", one.failure.message)
                    }
                }
            }
        }
    }

    /// What one pair was refused for; anything else is the whole request's.
    private static func failure(_ error: ServiceError, _ id: String, _ zone: String) throws -> EC2Failure {
        switch (error.code, error.noun) {
        case (.missing, .snapshot), (.invalid, .snapshot): EC2Identifier.noSnapshot(id)
        case (.missing, .house): EC2Failure("InvalidZone.NotFound", "The zone '\(zone)' does not exist.")
        case (.limitExceeded, _): EC2Failure("FastSnapshotRestoreLimitExceeded", error.message)
        case (.wrongState, _): EC2Failure("IncorrectState", error.message)
        default: throw error
        }
    }

    private static func writeTimes(_ one: FastRestoreView, into writer: inout XMLWriter) {
        writer.add("enablingTime", one.enablingAt.description)
        writer.add("optimizingTime", one.optimizingAt?.description)
        writer.add("enabledTime", one.enabledAt?.description)
        writer.add("disablingTime", one.disablingAt?.description)
        writer.add("disabledTime", one.disabledAt?.description)
    }

    private static func write(
        _ one: FastRestoreView, _ state: String, reason: String, _ call: EC2Call, into writer: inout XMLWriter
    ) {
        writer.add("snapshotId", one.snapshotId)
        writer.add("availabilityZone", one.zone)
        writer.add("availabilityZoneId", call.region.zone(one.zone)?.id)
        writer.add("state", state)
        writer.add("stateTransitionReason", reason)
        writer.add("ownerId", one.ownerId)
    }
}
