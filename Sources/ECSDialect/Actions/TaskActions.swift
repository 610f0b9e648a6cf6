internal import Blocks
internal import ControlPlane

/// The tasks of this cloud that there are here: of each snapshot that was put into the archive that, which is done when it is asked
/// for. So they are always finished, and there is nothing to cancel.
extension ECSDialect {
    static let taskActions = [
        ECSAction(
            "DescribeTasks", isChange: false, lacks: "only ArchiveSnapshot, which is finished at once", describeTasks),
        ECSAction("DescribeTaskAttribute", isChange: false, describeTaskAttribute),
        ECSAction("CancelTask", isChange: true, cancelTask),
    ]

    private static let action = "ArchiveSnapshot", status = "Finished"
    private static let actionsKnown = ["ImportImage", "ExportImage", "ModifyDiskSpec", "RedeployInstance", action]
    private static let statesKnown = [status, "Processing", "Failed"]
    private static let idsMax = 100

    private struct ArchiveTask {
        let id: String
        let snapshot: String
        let time: WallTime
    }

    private static func tasks(_ call: ECSCall) async throws -> [ArchiveTask] {
        try await call.verbs.snapshots.list().compactMap { snapshot in
            guard let tier = snapshot.tier, let id = ECSID.name(snapshot.id, .task),
                let name = ECSID.name(snapshot.id, .snapshot)
            else { return nil }
            return ArchiveTask(id: id, snapshot: name, time: tier.archivedAt)
        }
    }

    private static let describeTasks: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let ids = parameters["TaskIds"].map { Set($0.split(separator: ",").map(String.init)) }
        let objects = parameters.list("ResourceIds")
        guard ids?.count ?? 0 <= idsMax else { throw ECSFailure.parameter("TaskIds") }
        guard objects.count <= idsMax else { throw ECSFailure.parameter("ResourceIds") }
        let wanted = parameters["TaskAction"] ?? action, state = parameters["TaskStatus"] ?? status
        guard actionsKnown.contains(wanted) else { throw ECSFailure.parameter("TaskAction") }
        guard statesKnown.contains(state) else { throw ECSFailure.parameter("TaskStatus") }
        let pages = try ECSPages(call)
        let found = try await wanted == action && state == status ? tasks(call) : []
        let matching = found.filter { task in
            ids?.contains(task.id) ?? true && (objects.isEmpty || objects.contains(task.snapshot))
        }
        let page = pages.page(of: matching, call) { ($0.time, $0.id) }
        return .of { fields in
            page.write(into: &fields)
            fields.add("RegionId", call.region.name)
            fields.add(
                "TaskSet", listOf: "Task",
                page.items.map { task in
                    ECSFields.of { item in
                        write(task, into: &item)
                        item.add("ResourceId", task.snapshot)
                    }.value
                })
        }
    }

    private static let describeTaskAttribute: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let task = try await task(call)
        return .of { fields in
            write(task, into: &fields)
            fields.add("RegionId", call.region.name)
            fields.add("TaskProcess", "100%")
            fields.add("TotalCount", 1)
            fields.add("SuccessCount", 1)
            fields.add("FailedCount", 0)
            fields.add(
                "OperationProgressSet", listOf: "OperationProgress", [outcome("SnapshotId", task.snapshot, nil)])
        }
    }

    private static let cancelTask: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let task = try await task(call)
        throw ECSFailure(403, "OperationDenied", "The task \(task.id) is finished and cannot be cancelled.")
    }

    private static func task(_ call: ECSCall) async throws -> ArchiveTask {
        let id = try call.parameters.needed("TaskId")
        guard let task = try await tasks(call).first(where: { $0.id == id }) else {
            throw ECSFailure(404, "InvalidTaskId.NotFound", "The specified task ID does not exist.")
        }
        return task
    }

    private static func write(_ task: ArchiveTask, into fields: inout ECSFields) {
        fields.add("TaskId", task.id)
        fields.add("TaskAction", action)
        fields.add("TaskStatus", status)
        fields.add("CreationTime", task.time.ecsMinute)
        fields.add("FinishedTime", task.time.ecsMinute)
        fields.add("SupportCancel", "false")
    }
}
