import Blocks
import ControlPlane
import Foundation
import RequestSigning
import TestSupport
import Testing

@testable import EC2Dialect

/// Snapshots written and read through the EBS direct APIs, as plain requests and answers.
@Suite struct DirectTests {
    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let stranger: Caller

        init() async throws {
            scratch = try ScratchDirectory("varve-direct")
            house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
            let account = try await house.accounts.create(named: "others").id
            stranger = Caller(account: account, principal: "eve", role: .administrator)
        }

        func ask(
            _ method: String, _ path: String, _ body: [UInt8] = [], query: String = "",
            headers: [(name: String, value: String)] = [], as caller: Caller = .root
        ) async -> DirectAnswer {
            await DirectDialect(house) { 1_800_000_000 }.answer(
                DirectRequest(method: method, path: path, query: query, headers: headers, body: body), for: caller)
        }

        func start(_ body: String, as caller: Caller = .root) async -> DirectAnswer {
            await ask("POST", "/snapshots", Array(body.utf8), as: caller)
        }

        func started(_ more: String = "") async throws -> String {
            let answer = await start(#"{"VolumeSize":1\#(more)}"#)
            #expect(answer.status == 201, "\(answer.text)")
            return try #require(answer.object["SnapshotId"] as? String)
        }

        func put(
            _ byte: UInt8, at index: Int, of id: String, as caller: Caller = .root,
            changing: [String: String?] = [:], count: Int = 524_288
        ) async -> DirectAnswer {
            let body = [UInt8](repeating: byte, count: count)
            var headers = [
                "x-amz-Data-Length": "524288", "x-amz-Checksum": BodyHash(of: body).base64,
                "x-amz-Checksum-Algorithm": "SHA256", "X-Amz-Progress": "40",
            ]
            for (name, value) in changing { headers[name] = value }
            return await ask(
                "PUT", "/snapshots/\(id)/blocks/\(index)", body, headers: headers.map { ($0.key, $0.value) }, as: caller
            )
        }

        func complete(_ id: String, _ headers: [String: String], as caller: Caller = .root) async -> DirectAnswer {
            await ask(
                "POST", "/snapshots/completion/\(id)", headers: headers.map { ($0.key, $0.value) }, as: caller)
        }

        func ec2(_ query: String) async -> EC2Answer {
            await EC2Dialect(house) { "id" }.answer(EC2Request(sources: ["Version=2016-11-15&" + query]), for: .root)
        }
    }

    private static func aggregate(_ bytes: [UInt8]) -> [String: String] {
        let digests = bytes.flatMap { byte in
            Array(Data(base64Encoded: BodyHash(of: [UInt8](repeating: byte, count: 524_288)).base64) ?? Data())
        }
        return [
            "x-amz-ChangedBlocksCount": String(bytes.count), "x-amz-Checksum": BodyHash(of: digests).base64,
            "x-amz-Checksum-Algorithm": "SHA256", "x-amz-Checksum-Aggregation-Method": "LINEAR",
        ]
    }

    @Test("started, written, completed, described, listed and read")
    func life() async throws {
        let setting = try await Setting()
        let answer = await setting.start(
            #"{"VolumeSize":1,"Description":"up","Tags":[{"Key":"k","Value":"v"}],"ClientToken":"once","Timeout":10}"#)
        let id = try #require(answer.object["SnapshotId"] as? String)
        let time = try #require(answer.object["StartTime"] as? Double)
        #expect(
            answer.status == 201
                && answer.text
                    == """
                    {"BlockSize":524288,"Description":"up","KmsKeyArn":null,"OwnerId":"100000000000","ParentSnapshotId":null,\
                    "SnapshotId":"\(id)","SseType":"none","StartTime":\(time),"Status":"pending",\
                    "Tags":[{"Key":"k","Value":"v"}],"VolumeSize":1}
                    """,
            "\(answer.text)")
        let put = await setting.put(7, at: 2047, of: id)
        let checksum = BodyHash(of: [UInt8](repeating: 7, count: 524_288)).base64
        #expect(put.status == 201 && put.text == "{}")
        #expect(put.headers.map(\.name) == ["x-amz-Checksum", "x-amz-Checksum-Algorithm"])
        #expect(put.headers.map(\.value) == [checksum, "SHA256"])
        #expect(await setting.put(0, at: 3, of: id).status == 201)
        let pending = await setting.ec2("Action=DescribeSnapshots&SnapshotId.1=\(id)").body
        for part in ["<volumeId>vol-ffffffff<", "<status>pending<", "<progress>0%<", "<volumeSize>1<", "<key>k</key>"] {
            #expect(pending.contains(part), "\(part)")
        }
        #expect(await setting.ask("GET", "/snapshots/\(id)/blocks").status == 404)
        let done = await setting.complete(id, Self.aggregate([0, 7]))
        #expect(done.status == 202 && done.text == #"{"Status":"pending"}"#)
        _ = try await setting.house.snapshots.wait(for: id)
        let again = await setting.complete(id, ["x-amz-ChangedBlocksCount": "99"])
        #expect(again.status == 202 && again.text == #"{"Status":"completed"}"#)
        let after = await setting.ec2("Action=DescribeSnapshots&SnapshotId.1=\(id)").body
        #expect(after.contains("<status>completed<") && after.contains("<progress>100%<"))
        // The token still gives the original answer.
        let repeated = await setting.start(
            #"{"Timeout":10,"VolumeSize":1,"Description":"up","ClientToken":"once","Tags":[{"Key":"k","Value":"v"}]}"#)
        #expect(repeated == answer)

        let listed = await setting.ask("GET", "/snapshots/\(id)/blocks")
        let blocks = try #require(listed.object["Blocks"] as? [[String: Any]])
        #expect(blocks.map { $0["BlockIndex"] as? Int } == [3, 2047])
        let token = try #require(blocks[1]["BlockToken"] as? String)
        let block = await setting.ask("GET", "/snapshots/\(id)/blocks/2047", query: "blockToken=\(token)")
        #expect(block.status == 200 && block.body == [UInt8](repeating: 7, count: 524_288))

        let child = try await setting.started(#","ParentSnapshotId":"\#(id)""#)
        #expect(await setting.put(8, at: 0, of: child).status == 201)
        #expect(await setting.complete(child, Self.aggregate([8])).status == 202)
        _ = try await setting.house.snapshots.wait(for: child)
        let changed = await setting.ask(
            "GET", "/snapshots/\(child)/changedblocks", query: "firstSnapshotId=\(id)")
        let pieces = try #require(changed.object["ChangedBlocks"] as? [[String: Any]])
        #expect(pieces.map { $0["BlockIndex"] as? Int } == [0] && pieces[0]["FirstBlockToken"] == nil)
        await setting.house.close()
    }

    @Test("what StartSnapshot refuses, in Amazon's words")
    func startRefused() async throws {
        let setting = try await Setting()
        let open = try await setting.started(), nobody = "snap-0123456789abcdef0"
        let volume = try await setting.house.volumes.create(CreateVolume(size: .gibibytes(2))).id
        let large = try await setting.house.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await setting.house.snapshots.wait(for: large)
        let parent = #""ParentSnapshotId":"\#(large)""#
        for (body, reason, message) in [
            ("", "INVALID_VOLUME_SIZE", nil), (#"{"VolumeSize":0}"#, "INVALID_VOLUME_SIZE", nil),
            (#"{"VolumeSize":65537}"#, "INVALID_VOLUME_SIZE", nil),
            (#"{"VolumeSize":1,\#(parent)}"#, "INVALID_VOLUME_SIZE", nil),
            (
                #"{"VolumeSize":1,"ParentSnapshotId":"\#(open)"}"#, "INVALID_SNAPSHOT_ID",
                "Source snapshot (\(open)) is not complete."
            ),
            (#"{"VolumeSize":1,"ParentSnapshotId":"nonsense"}"#, "INVALID_SNAPSHOT_ID", nil),
            (
                #"{"VolumeSize":2,\#(parent),"KmsKeyArn":"arn:aws:kms:a:000000000000:key/b"}"#,
                "INVALID_PARAMETER_VALUE",
                "ParentSnapshotId and KmsKeyArn cannot be specified together"
            ),
            (
                #"{"VolumeSize":2,\#(parent),"Encrypted":true}"#, "INVALID_PARAMETER_VALUE",
                "ParentSnapshotId and Encrypt cannot be specified together"
            ),
            (#"{"VolumeSize":1,"Timeout":9}"#, "INVALID_PARAMETER_VALUE", nil),
            (#"{"VolumeSize":1,"Timeout":4321}"#, "INVALID_PARAMETER_VALUE", nil),
            (#"{"VolumeSize":1,"ClientToken":""}"#, "INVALID_PARAMETER_VALUE", nil),
            (#"{"VolumeSize":1,"Tags":[{"Key":"aws:x","Value":"y"}]}"#, "INVALID_TAG", nil),
            (#"{"VolumeSize":1,"Tags":[{"Value":"y"}]}"#, "INVALID_TAG", nil),
            (#"{"VolumeSize":"1"}"#, "INVALID_PARAMETER_VALUE", nil), ("nonsense", "INVALID_PARAMETER_VALUE", nil),
            (
                #"{"VolumeSize":1,"Description":"\#(String(repeating: "x", count: 256))"}"#, "INVALID_PARAMETER_VALUE",
                nil
            ),
        ] as [(String, String, String?)] {
            let answer = await setting.start(body)
            #expect(answer.status == 400 && answer.errorType == "ValidationException", "\(body): \(answer.text)")
            #expect(answer.object["Reason"] as? String == reason, "\(body): \(answer.text)")
            if let message { #expect(answer.object["Message"] as? String == message) }
        }
        for (id, caller) in [(nobody, Caller.root), (nobody, setting.stranger), (large, setting.stranger)] {
            let answer = await setting.start(#"{"VolumeSize":2,"ParentSnapshotId":"\#(id)"}"#, as: caller)
            #expect(answer.status == 404 && answer.object["Reason"] as? String == "SNAPSHOT_NOT_FOUND")
            #expect(answer.object["Message"] as? String == "The snapshot '\(id)' does not exist.")
        }
        _ = try await setting.started(#","ClientToken":"t""#)
        let other = await setting.start(#"{"VolumeSize":2,"ClientToken":"t"}"#)
        #expect(other.status == 409 && other.errorType == "ConflictException")
        #expect(
            other.object["Message"] as? String == "Current request does not match request stored with this token.")
        let reader = Caller(account: Caller.root.account, principal: "ann", role: .reader)
        let forbidden = await setting.start(#"{"VolumeSize":1}"#, as: reader)
        #expect(forbidden.status == 403 && forbidden.errorType == "AccessDeniedException")
        for _ in 2..<100 { _ = try await setting.started() }
        let full = await setting.start(#"{"VolumeSize":1}"#)
        #expect(full.status == 400 && full.errorType == "ConcurrentLimitExceededException")
        await setting.house.close()
    }

    @Test("what PutSnapshotBlock and CompleteSnapshot refuse, in Amazon's words")
    func writeRefused() async throws {
        let setting = try await Setting()
        let id = try await setting.started()
        func expect(
            _ answer: DirectAnswer, _ reason: String?, _ message: String, _ status: Int = 400,
            _ name: String = "ValidationException"
        ) {
            #expect(answer.status == status && answer.errorType == name, "\(answer.text)")
            #expect(answer.object["Reason"] as? String == reason && answer.object["Message"] as? String == message)
        }
        let value = "INVALID_PARAMETER_VALUE"
        expect(
            await setting.put(1, at: 0, of: id, changing: ["x-amz-Data-Length": "1"]), "INVALID_BLOCK",
            "Block data length 1 is not valid, expected 524288")
        expect(await setting.put(1, at: 0, of: id, count: 524_287), value, "Failed to read block data")
        expect(
            await setting.put(1, at: 0, of: id, count: 524_289), "INVALID_BLOCK",
            "Block data length 524289 is not valid, expected 524288")
        expect(
            await setting.put(1, at: 0, of: id, changing: ["x-amz-Checksum-Algorithm": "MD5"]), value,
            "Unsupported Checksum Algorithm 'MD5', supported algorithms are SHA256")
        expect(
            await setting.put(1, at: 2048, of: id), "INVALID_BLOCK",
            "Block index 2048 is beyond the volume size extent")
        let computed = BodyHash(of: [UInt8](repeating: 1, count: 524_288)).base64
        expect(
            await setting.put(1, at: 0, of: id, changing: ["x-amz-Checksum": "AAAA"]), nil,
            "The value passed in as x-amz-Checksum does not match the computed checksum. Computed checksum: "
                + "\(computed) expected checksum: AAAA", 403, "InvalidSignatureException")
        for header in ["x-amz-Data-Length", "x-amz-Checksum", "x-amz-Checksum-Algorithm"] {
            expect(
                await setting.put(1, at: 0, of: id, changing: [header: ""]), value,
                "The header \(header.lowercased()) is missing.")
        }
        #expect(await setting.put(1, at: -1, of: id).object["Reason"] as? String == value)
        #expect(await setting.put(1, at: 0, of: id, changing: ["X-Amz-Progress": "101"]).status == 400)

        let all = Self.aggregate([1])
        for (left, what) in [
            ("x-amz-Checksum", "Snapshot checksum"), ("x-amz-Checksum-Algorithm", "Checksum algorithm"),
            ("x-amz-Checksum-Aggregation-Method", "Checksum aggregation method"),
        ] {
            expect(
                await setting.complete(id, all.filter { $0.key != left }), value,
                "Invalid parameter combination. \(what) is missing.")
        }
        #expect(await setting.complete(id, [:]).object["Reason"] as? String == value)
        #expect(await setting.complete(id, ["x-amz-ChangedBlocksCount": "-1"]).status == 400)

        let taken = try await setting.house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        let snapshot = try await setting.house.snapshots.create(CreateSnapshot(volume: taken)).id
        _ = try await setting.house.snapshots.wait(for: snapshot)
        for (wanted, caller) in [
            ("snap-0123456789abcdef0", Caller.root), (snapshot, .root), (id, setting.stranger),
            (snapshot, setting.stranger), ("snap-01234567", .root),
        ] {
            let message = "The snapshot '\(wanted)' does not exist.", name = "ResourceNotFoundException"
            expect(
                await setting.put(1, at: 0, of: wanted, as: caller), "SNAPSHOT_NOT_FOUND", message, 404, name)
            expect(await setting.complete(wanted, all, as: caller), "SNAPSHOT_NOT_FOUND", message, 404, name)
        }
        #expect(await setting.put(1, at: 0, of: "vol-1").object["Reason"] as? String == "INVALID_SNAPSHOT_ID")
        for (method, path) in [
            ("POST", "/snapshots/\(id)"), ("PUT", "/snapshots/\(id)/blocks"), ("DELETE", "/snapshots/\(id)"),
            ("POST", "/volumes"), ("POST", "/snapshots/completion"),
        ] {
            #expect(await setting.ask(method, path).errorType == "UnknownOperationException", "\(method) \(path)")
        }

        // A wrong sum is found out afterwards.
        #expect(await setting.put(1, at: 0, of: id).status == 201)
        let wrong = await setting.complete(id, Self.aggregate([2]))
        #expect(wrong.status == 202 && wrong.text == #"{"Status":"pending"}"#)
        await #expect(throws: ServiceError.self) { try await setting.house.snapshots.wait(for: id) }
        let body = await setting.ec2("Action=DescribeSnapshots&SnapshotId.1=\(id)").body
        #expect(body.contains("<status>error<") && body.contains("Checksum mismatch for snapshot"))
        expect(await setting.put(1, at: 0, of: id), "INVALID_SNAPSHOT_ID", "Checksum mismatch for snapshot")
        let good = try await setting.started()
        #expect(await setting.put(1, at: 0, of: good).status == 201)
        #expect(await setting.complete(good, all).status == 202)
        _ = try await setting.house.snapshots.wait(for: good)
        expect(await setting.put(1, at: 0, of: good), "INVALID_SNAPSHOT_ID", "Snapshot is already completed")
        await setting.house.close()
    }
}

extension DirectAnswer {
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }
    fileprivate var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }
    fileprivate var errorType: String? { headers.first { $0.name == "x-amzn-ErrorType" }?.value }
}
