import Foundation
import Testing

/// The four lines that hold, and the words nobody writes in Sources.
@Suite struct LineTests {
    static let everyFile = Room.all.flatMap(\.files)

    @Test("no Foundation on the data path beyond one file for each cold record")
    func foundation() {
        for room in Room.all where ["Blocks", "NBD", "TLS"].contains(room.name) {
            for file in room.files where file.imports.contains(where: { $0.module.hasPrefix("Foundation") }) {
                Issue.record("\(file.path) imports Foundation")
            }
        }
        let cold = ["VolumeEngine", "Repository"]
        for room in Room.all where cold.contains(room.name) {
            for file in room.files {
                for (module, line) in file.imports where module.hasPrefix("Foundation") {
                    #expect(
                        Exceptions.coldRecords.contains(file.path),
                        "\(file.path):\(line) imports \(module); only cold records may, see Exceptions.coldRecords")
                }
            }
        }
    }

    @Test("system calls stay on the ground floor")
    func systemCalls() {
        for room in Room.all where room.name != "Blocks" && !Exceptions.besideTheProduct.contains(room.name) {
            for file in room.files {
                for (module, line) in file.imports where ["Glibc", "CLinux", "Musl", "Darwin"].contains(module) {
                    Issue.record("\(file.path):\(line) imports \(module)")
                }
            }
        }
    }

    @Test("SQL stays in the catalog")
    func sql() throws {
        let words = try Regex(
            #"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|"#
                + #"(CREATE|DROP|ALTER)\s+TABLE|PRAGMA\s)"#)
        for file in Self.everyFile where !file.path.hasPrefix("Sources/Catalog/") {
            for (index, line) in file.lines.enumerated() where line.contains("\"") && line.contains(words) {
                Issue.record("\(file.path):\(index + 1) holds SQL: \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
    }

    @Test("a cloud's words stay in its dialect")
    func cloudWords() throws {
        let words = try Regex(
            #"DescribeVolumes|DescribeSnapshots|DescribeDisks|CreateDisk|"DiskId|DiskId"|"#
                + #"CreateImage|DestinationAmi|Invalid(Volume|Snapshot)\.NotFound|amazonaws\.com/doc|aliyuncs|ksyun"#)
        // What feeds a dialect for the fuzzer has to speak as it does.
        let speakers = [
            "Dialect/", "Sources/FuzzTargets/Requests/EC2Target.swift", "Sources/FuzzTargets/Requests/ECSTarget.swift",
            "Sources/FuzzTargets/Requests/KingsoftTarget.swift",
        ]
        for file in Self.everyFile where !speakers.contains(where: { file.path.contains($0) }) {
            for (index, line) in file.lines.enumerated() where line.contains(words) {
                Issue.record("\(file.path):\(index + 1) uses a cloud's word: \(line)")
            }
        }
    }

    @Test("no force: neither `!`, `try!`, `as!` nor print in Sources")
    func noForce() {
        let force = /\btry!|\bas!|\bprint\(|\bdebugPrint\(|\bdump\(|[A-Za-z0-9_\)\]]!(?:[\.\)\]\},;: ?]|$)/
        for file in Self.everyFile {
            for (text, line) in file.code where text.contains(force) && !text.contains("#!") {
                Issue.record("\(file.path):\(line) uses force or prints: \(text.trimmingCharacters(in: .whitespaces))")
            }
        }
    }

    @Test("every @unchecked Sendable says why it is safe")
    func safetyIsArgued() {
        for file in Self.everyFile {
            for (text, line) in file.code where text.contains("@unchecked Sendable") {
                let near = file.lines[max(0, line - 8)..<min(file.lines.count, line + 8)]
                #expect(
                    near.contains { $0.contains("// Safe:") },
                    "\(file.path):\(line) needs a `// Safe:` line beside it")
            }
        }
    }

    @Test("a file past 500 lines has a reason")
    func sizes() {
        for file in (Self.everyFile.map(\.path) + House.swiftFiles(in: "Tests")).map(SourceFile.init)
        where file.lines.count > 501 {
            #expect(
                Exceptions.longFiles[file.path] != nil, "\(file.path) has \(file.lines.count) lines and no reason")
        }
        for path in Exceptions.longFiles.keys {
            #expect(SourceFile(path).lines.count > 501, "\(path) needs no exception any more")
        }
    }

    @Test("public declarations carry docstrings")
    func docstrings() throws {
        let declaration = try Regex(
            #"^\s*public\s+((final|static|class|mutating|nonisolated|consuming|borrowing|indirect|override|"#
                + #"convenience)\s+)*(func|init|var|let|struct|class|enum|protocol|actor|typealias|subscript)\b"#)
        for room in Room.all where !Exceptions.besideTheProduct.contains(room.name) {
            undocumented(in: room, declaration)
        }
    }

    private func undocumented(in room: Room, _ declaration: Regex<AnyRegexOutput>) {
        for file in room.files {
            for (index, line) in file.lines.enumerated() where line.contains(declaration) {
                var above = index - 1
                while above >= 0, file.lines[above].contains(/^\s*@/) { above -= 1 }
                let documented = above >= 0 && file.lines[above].contains(/^\s*\/\/\/|\*\//)
                #expect(documented, "\(file.path):\(index + 1) is public and undocumented: \(line)")
            }
        }
    }

    @Test("the project speaks of itself alone")
    func noWorkplace() {
        let strangers = /\/root\/|\/work\/|\.\.\/shared/
        for file in Self.everyFile.map(\.path) + House.swiftFiles(in: "Tests") where !file.contains("TidyTests") {
            for (index, line) in SourceFile(file).lines.enumerated() where line.contains(strangers) {
                Issue.record("\(file):\(index + 1) names a place of one machine: \(line)")
            }
        }
    }
}

/// What is excused, each with its reason.
enum Exceptions {
    /// Path -> why it is one file.
    static let longFiles: [String: String] = [:]

    /// Rooms that only tests use: they may ask the system and leave a protocol's methods to the protocol's docs.
    static let besideTheProduct: Set<String> = ["TestSupport", "Simulation", "Histories", "Simulate", "FuzzTargets"]

    /// Files on data-path rooms that read or write cold JSON records, once per open, cut or commit.
    static let coldRecords: Set<String> = [
        "Sources/VolumeEngine/Records/RecordFile.swift",  // volume.json and cut.json
        "Sources/Repository/Format/Records+JSON.swift",  // manifest, upload pin, repository.json, reclaim candidates
    ]
}
