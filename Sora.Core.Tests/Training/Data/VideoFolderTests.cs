using Sora.Frames;
using Sora.Tests.Frames;
using Sora.Training;
using Sora.Training.Data;
using Xunit;

namespace Sora.Tests.Training.Data;

public class VideoFolderTests
{
    private static readonly ClipStrides s_strides = new(16, 4);

    [Fact]
    public void ReadsShotsAndPicturesAtTheirOwnSizesAndPassesOverTheRest()
    {
        using var scratch = new Scratch();
        Fill(scratch);
        var log = new List<string>();
        VideoFolder folder = VideoFolder.Open(Options(scratch), log.Add);

        (string Name, ClipShape Shape)[] clips = [.. Enumerable.Range(0, folder.Count).Select(i => (folder.Info(i).Name, folder.Info(i).Shape))];
        Assert.Equal(
            [("cut.mp4", new(128, 64, 9)), ("cut.mp4 at 1.63 s", new(128, 64, 9)), ("sub/tall.png", new(48, 96, 1))],
            clips);
        Assert.Equal(["a scene", "two shots"], folder.Captions(1).Short);
        Assert.Equal(["A tall picture, at length."], folder.Captions(2).Detailed);
        Assert.Equal(folder.Count, Enumerable.Range(0, folder.Count).Select(i => folder.Info(i).Key).Distinct().Count());
        Assert.Contains("scene", folder.Vocabulary.Keys);

        Dictionary<string, string> problems = folder.Problems.Where(p => p.PassedOver).ToDictionary(p => p.File, p => p.Reason);
        Assert.Equal(["empty.mp4", "half.mkv", "missing.mp4", "nocaption.png", "notes.bin", "sound.wav", "tiny.png"], problems.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("is empty", problems["empty.mp4"], StringComparison.Ordinal);
        Assert.Contains("breaks off", problems["half.mkv"], StringComparison.Ordinal);
        Assert.Contains("not there", problems["missing.mp4"], StringComparison.Ordinal);
        Assert.Contains("no caption", problems["nocaption.png"], StringComparison.Ordinal);
        Assert.Contains("cannot be read", problems["notes.bin"], StringComparison.Ordinal);
        Assert.Contains("only sound", problems["sound.wav"], StringComparison.Ordinal);
        Assert.Contains("1×1 pixels are too few", problems["tiny.png"], StringComparison.Ordinal);
        Assert.Contains("passed over tiny.png", string.Join('\n', log), StringComparison.Ordinal);
    }

    [Fact]
    public void ClipsAreDecodedAtTheTrainingsRateAndStayInTheirShot()
    {
        using var scratch = new Scratch();
        MadeVideo.Write(scratch["cut.mp4"], rate: 24, 36, 36);
        File.WriteAllText(scratch["cut.txt"], "a scene");
        VideoFolder folder = VideoFolder.Open(Options(scratch), _ => { });
        Assert.Equal(2, folder.Count);
        VideoFrame[] whole = [.. VideoReader.Read(scratch["cut.mp4"], new VideoReadOptions { Width = 128, Height = 64, FrameRate = 8 })];
        for (int clip = 0; clip < 2; clip++)
        {
            byte[] rgb = folder.Draw(clip, default);
            Assert.Equal(9 * 128 * 64 * 3, rgb.Length);
            for (int t = 0; t < 9; t++)
            {
                ReadOnlySpan<byte> frame = rgb.AsSpan(t * 128 * 64 * 3, 128 * 64 * 3);
                Assert.Equal(clip, MadeVideo.ShotOf(frame, 128, 64));
                // Frame t of the second clip is frame 13 + t of the file, or the frame of the file next to it.
                Assert.True(TestClip.Psnr(frame, whole[(13 * clip) + t].Rgb.Span) > 24);
            }
        }
    }

    [Fact]
    public void HoursAreReadAsSegmentsAndOnlyOnce()
    {
        using var scratch = new Scratch();
        Scratch.FFmpeg(
            "-f", "lavfi", "-i", "color=gray:s=32x32:r=1:d=14000", "-f", "lavfi", "-i", "color=white:s=32x32:r=1:d=400",
            "-filter_complex", "concat=n=2", "-c:v", "mpeg4", scratch["long.mp4"]);
        File.WriteAllText(scratch["long.txt"], "first grey, then white");
        VideoFolderOptions options = Options(scratch) with { FrameRate = 1, ScanFile = scratch["scans.json"] };
        VideoFolder folder = VideoFolder.Open(options, _ => { });
        // 14,000 = 424 · 33 + 8; of 399 after the cut's first frame 12 · 33.
        Assert.Equal(425 + 12, folder.Count);
        Assert.Equal(new ClipShape(32, 32, 5), folder.Info(424).Shape);
        Assert.All(folder.Draw(424, default), value => Assert.InRange(value, 120, 136));
        Assert.All(folder.Draw(425, default), value => Assert.InRange(value, 247, 255));

        // The second time the file of scans is believed.
        string scans = File.ReadAllText(scratch["scans.json"]);
        Assert.Contains("\"Frames\":14400", scans, StringComparison.Ordinal);
        File.WriteAllText(scratch["scans.json"], scans.Replace("\"Frames\":14400", "\"Frames\":14034", StringComparison.Ordinal));
        Assert.Equal(425 + 1, VideoFolder.Open(options, _ => { }).Count);
    }

    [Fact]
    public void ScansUnderOtherSettingsAreNotUsed()
    {
        using var scratch = new Scratch();
        string path = scratch["folder/scans.json"];
        var record = new ScanRecord(path, 8, 0.06);
        record.Add("key", new ScannedFile(64, 48, false, 20, [7]));
        record.Save();
        Assert.Equal([7], new ScanRecord(path, 8, 0.06).Find("key")!.Cuts);
        Assert.Null(new ScanRecord(path, 8, 0.06).Find("other"));
        Assert.Null(new ScanRecord(path, 12, 0.06).Find("key"));
        Assert.Null(new ScanRecord(path, 8, 0.1).Find("key"));
    }

    [Fact]
    public void ALongCaptionIsCutWithANote()
    {
        using var scratch = new Scratch();
        TestClip.Write(scratch["a.png"], 64, 64, 1);
        File.WriteAllText(scratch["a.txt"], string.Join(' ', Enumerable.Repeat("lengthy", 1250)));
        var log = new List<string>();
        VideoFolder folder = VideoFolder.Open(Options(scratch), log.Add);
        string caption = Assert.Single(folder.Captions(0).Short);
        Assert.InRange(caption.Length, 3980, 4000);
        Assert.EndsWith(" lengthy", caption, StringComparison.Ordinal);
        Assert.Contains("a.png: its caption of 9999 characters is cut to", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void FoldersWithoutUseAreRefusedWithAReason()
    {
        using var scratch = new Scratch();
        Assert.Contains("has no videos or images", Refusal(scratch), StringComparison.Ordinal);
        TestClip.Write(scratch["dog.png"], 64, 64, 1);
        string refusal = Refusal(scratch);
        Assert.Contains("No file in", refusal, StringComparison.Ordinal);
        Assert.Contains("dog.txt", refusal, StringComparison.Ordinal);
        File.WriteAllText(scratch["dog.txt"], " \n\n");
        Assert.Contains("No file in", Refusal(scratch), StringComparison.Ordinal);

        File.WriteAllText(scratch["metadata.jsonl"], "{\"file_name\": \"dog.png\", \"text\": \"a dog\"}\n{\"text\": \"no name\"}\n");
        Assert.Contains("line 2: file_name is missing", Refusal(scratch), StringComparison.Ordinal);
        File.WriteAllText(scratch["metadata.jsonl"], "{\"file_name\": \"dog.pgn\", \"text\": \"a dog\"}\n");
        File.Delete(scratch["dog.txt"]);
        var log = new List<string>();
        Assert.Throws<SoraException>(() => VideoFolder.Open(Options(scratch), log.Add));
        File.WriteAllText(scratch["dog.txt"], "a dog");
        VideoFolder.Open(Options(scratch), log.Add);
        Assert.Contains(log, line => line.Contains("nearest: dog.png", StringComparison.Ordinal));

        Assert.Contains("does not exist", Assert.Throws<SoraException>(() => VideoFolder.Open(new(scratch["none"], s_strides), _ => { })).Message, StringComparison.Ordinal);
        Assert.Contains("is a file", Assert.Throws<SoraException>(() => VideoFolder.Open(new(scratch["dog.png"], s_strides), _ => { })).Message, StringComparison.Ordinal);
        File.WriteAllBytes(scratch["dog.png"], [1, 2, 3]);
        Assert.Contains("None of the 1 files", Refusal(scratch), StringComparison.Ordinal);
    }

    private static string Refusal(Scratch scratch) => Assert.Throws<SoraException>(() => VideoFolder.Open(Options(scratch), _ => { })).Message;

    private static VideoFolderOptions Options(Scratch scratch) => new(scratch.Folder, s_strides);

    private static void Fill(Scratch scratch)
    {
        MadeVideo.Write(scratch["cut.mp4"], rate: 24, 36, 36);
        File.WriteAllText(scratch["cut.txt"], "a scene\ntwo shots\n\na scene\n");
        Directory.CreateDirectory(scratch["sub"]);
        TestClip.Write(scratch["sub/tall.png"], 50, 100, 1);
        File.WriteAllText(scratch["metadata.jsonl"],
            "{\"file_name\": \"sub/tall.png\", \"text\": \"tall\", \"detailed_text\": \"A tall picture, at length.\"}\n{\"file_name\": \"missing.mp4\", \"text\": \"gone\"}\n");
        TestClip.Write(scratch["tiny.png"], 1, 1, 1);
        TestClip.Write(scratch["nocaption.png"], 64, 64, 1);
        Scratch.FFmpeg("-f", "lavfi", "-i", "sine=d=1", scratch["sound.wav"]);
        File.WriteAllBytes(scratch["empty.mp4"], []);
        File.WriteAllBytes(scratch["notes.bin"], [1, 2, 3, 4]);
        Scratch.FFmpeg("-i", scratch["cut.mp4"], "-c", "copy", scratch["whole.mkv"]);
        byte[] bytes = File.ReadAllBytes(scratch["whole.mkv"]);
        File.WriteAllBytes(scratch["half.mkv"], bytes[..(bytes.Length / 2)]);
        File.Delete(scratch["whole.mkv"]);
        foreach (string name in (string[])["tiny", "sound", "empty", "notes", "half"])
            File.WriteAllText(scratch[name + ".txt"], "something");
    }
}
