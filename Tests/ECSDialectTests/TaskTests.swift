import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

@Suite struct TaskTests {
    @Test("putting a snapshot into the archive is a task, which is finished, found, and cannot be cancelled")
    func archive() async throws {
        let door = try await ECSDoor()
        let disk = try await door.usedDisk()
        var tasks: [String] = []
        for _ in 0..<2 {
            let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId")
            try await door.accomplish(snapshot)
            let archive = ["SnapshotId": snapshot, "Category": "Archive", "RetentionDays": "80"]
            let task = try await door.ask("ModifySnapshotCategory", archive).text("TaskId")
            #expect(task.hasPrefix("t-") && task.utf8.count == 22)
            let found = try await door.ask("DescribeTasks", ["ResourceIds.1": snapshot]).list("TaskSet", "Task")
            #expect(found.count == 1 && found[0]["TaskId"] as? String == task)
            #expect(found[0]["TaskAction"] as? String == "ArchiveSnapshot")
            #expect(found[0]["TaskStatus"] as? String == "Finished" && found[0]["ResourceId"] as? String == snapshot)
            let time = try #require(found[0]["FinishedTime"] as? String)
            #expect(time.utf8.count == "2026-11-21T01:32Z".utf8.count && time.hasSuffix("Z"))
            let told = try await door.ask("DescribeTaskAttribute", ["TaskId": task])
            #expect(told.fields["TaskProcess"] as? String == "100%" && told.fields["FailedCount"] as? Int == 0)
            try await door.refused("CancelTask", ["TaskId": task], 403, "OperationDenied")
            tasks.append(task)
        }
        func ids(_ filter: [String: String]) async throws -> [String] {
            try await door.ask("DescribeTasks", filter).list("TaskSet", "Task").compactMap { $0["TaskId"] as? String }
        }
        #expect(try await Set(ids([:])) == Set(tasks))
        #expect(try await ids(["TaskIds": "t-1,\(tasks[1])"]) == [tasks[1]])
        #expect(try await ids(["TaskStatus": "Processing"]).isEmpty)
        #expect(try await ids(["TaskAction": "ImportImage"]).isEmpty)
        for (name, value) in [("TaskAction", "x"), ("TaskStatus", "x")] {
            try await door.refused("DescribeTasks", [name: value], 400, "InvalidParameter")
        }
        for action in ["DescribeTaskAttribute", "CancelTask"] {
            try await door.refused(action, ["TaskId": "t-1"], 404, "InvalidTaskId.NotFound")
        }
        await door.house.close()
    }
}
