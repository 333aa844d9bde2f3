using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class CheckOutputTests
{
    [Theory]
    [InlineData("fish.mp4")]
    [InlineData("fish.webm")]
    [InlineData("fish.gif")]
    [InlineData("fish.webp")]
    [InlineData("fish.PNG")]
    [InlineData("fish.jpg")]
    [InlineData("frames/")]
    [InlineData("frames")]
    [InlineData("v1.2/")]
    [InlineData(".")]
    public void What_can_be_written_passes_and_leaves_nothing(string name)
    {
        using var scratch = new Scratch();
        VideoWriter.CheckOutput(scratch[name]);
        Assert.Empty(scratch.Names);
    }

    [Fact]
    public void An_existing_file_is_not_touched()
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch["fish.mp4"], "old");
        VideoWriter.CheckOutput(scratch["fish.mp4"]);
        Assert.Equal("old", File.ReadAllText(scratch["fish.mp4"]));
    }

    [Theory]
    [InlineData("fish.avi", ".mp4, .m4v, .mov, .webm, .gif, .webp, .png, .jpg, .jpeg")]
    [InlineData("fish.7", "ends in .7")]
    [InlineData("", "not a path")]
    [InlineData("missing/fish.mp4", "does not exist; create it")]
    [InlineData("missing/frames/", "does not exist; create it")]
    public void What_cannot_be_written_is_explained(string name, string part)
    {
        using var scratch = new Scratch();
        string path = name.Length == 0 ? "" : scratch[name];
        SoraException error = Assert.Throws<SoraException>(() => VideoWriter.CheckOutput(path));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_not_taken_for_a_folder()
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch["fish"], "");
        SoraException error = Assert.Throws<SoraException>(() => VideoWriter.CheckOutput(scratch["fish"]));
        Assert.Contains("is a file", error.Message, StringComparison.Ordinal);
    }

    /// <summary>/proc refuses new files even to the superuser, who may write in any ordinary folder.</summary>
    [Fact]
    public void A_folder_that_refuses_files_is_reported()
    {
        if (Directory.Exists("/proc"))
        {
            Assert.Throws<SoraException>(() => VideoWriter.CheckOutput("/proc/fish.mp4"));
            Assert.Throws<SoraException>(() => VideoWriter.CheckOutput("/proc/frames/"));
            Assert.Throws<SoraException>(() => new VideoWriter("/proc/fish.mp4", 2, 2, 8));
        }
    }

    [Fact]
    public void Missing_permission_is_named()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            return;
        }

        using var scratch = new Scratch();
        Directory.CreateDirectory(scratch["locked"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        foreach (string name in new[] { "locked/fish.mp4", "locked/frames/", "locked" })
        {
            SoraException error = Assert.Throws<SoraException>(() => VideoWriter.CheckOutput(scratch[name]));
            Assert.Contains("no permission", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Frame_count_and_rate_are_checked_when_known()
    {
        using var scratch = new Scratch();
        VideoWriter.CheckOutput(scratch["fish.png"], 1);
        Assert.Throws<SoraException>(() => VideoWriter.CheckOutput(scratch["fish.png"], 17));
        Assert.Throws<SoraException>(() => VideoWriter.CheckOutput(scratch["fish.gif"], 17, 60));
    }

    [Fact]
    public void A_missing_ffmpeg_is_explained()
    {
        using var scratch = new Scratch();
        SoraException named = Assert.Throws<SoraException>(
            () => VideoWriter.CheckOutput(scratch["fish.mp4"], null, null, new FFmpegTools("/nowhere/ffmpeg", null)));
        Assert.Contains("SORA_FFMPEG names '/nowhere/ffmpeg'", named.Message, StringComparison.Ordinal);
        SoraException absent = Assert.Throws<SoraException>(
            () => new VideoWriter(scratch["fish.mp4"], 2, 2, 8, null, new FFmpegTools("no-such-ffmpeg", null)));
        Assert.Contains("ffmpeg was not found on PATH", absent.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install ffmpeg", absent.Message, StringComparison.Ordinal);
        SoraException probe = Assert.Throws<SoraException>(
            () => VideoReader.Read(Environment.ProcessPath!, null, new FFmpegTools(null, "/nowhere/ffprobe"), default));
        Assert.Contains("ffprobe was not found", probe.Message, StringComparison.Ordinal);
        Assert.Empty(scratch.Names);
    }

    [Fact]
    public void A_missing_encoder_is_explained()
    {
        using var scratch = new Scratch();
        FFmpegTools stub = scratch.Stub("echo \"Codec 'libx264' is not recognized by FFmpeg.\" >&2");
        SoraException error = Assert.Throws<SoraException>(
            () => VideoWriter.CheckOutput(scratch["fish.mp4"], null, null, stub));
        Assert.Contains("no encoder libx264", error.Message, StringComparison.Ordinal);
    }
}
