using System.Diagnostics;
using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class VideoWriterFailureTests
{
    private static readonly byte[] Large = new byte[512 * 512 * 3];

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("frames/")]
    public void Disposing_before_the_end_leaves_nothing_and_no_process(string name)
    {
        using var scratch = new Scratch();
        int id;
        using (var writer = new VideoWriter(scratch[name], 64, 64, 8))
        {
            id = writer.ProcessId;
            writer.Write(TestClip.Frame(0, 64, 64));
            Assert.Single(scratch.Names);
            Assert.DoesNotContain(name.TrimEnd('/'), scratch.Names);
        }

        Assert.Empty(scratch.Names);
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(id));
    }

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("clip.gif")]
    public void A_killed_ffmpeg_is_reported_and_leaves_the_old_file(string name)
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch[name], "the old one");
        using (var writer = new VideoWriter(scratch[name], 512, 512, 8))
        {
            writer.Write(Large);
            using (var ffmpeg = Process.GetProcessById(writer.ProcessId))
            {
                ffmpeg.Kill();
            }

            FFmpegException error = Assert.Throws<FFmpegException>(() =>
            {
                for (int i = 0; i < 100; i++)
                {
                    writer.Write(Large);
                }
            });
            Assert.Contains("killed by signal 9", error.Message, StringComparison.Ordinal);
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => writer.Complete());
        }

        Assert.Equal([name], scratch.Names);
        Assert.Equal("the old one", File.ReadAllText(scratch[name]));
    }

    [Fact]
    public void A_failing_ffmpeg_is_quoted_with_its_last_lines()
    {
        using var scratch = new Scratch();
        FFmpegTools stub = scratch.Stub(
            "cat > /dev/null; i=1; while [ $i -le 500 ]; do echo \"line $i\" >&2; i=$((i+1)); done; echo 'disk full' >&2; exit 3");
        using (var writer = new VideoWriter(scratch["clip.mp4"], 2, 2, 8, null, stub))
        {
            writer.Write(new byte[12]);
            FFmpegException error = Assert.Throws<FFmpegException>(() => writer.Complete());
            Assert.Contains("exit code 3", error.Message, StringComparison.Ordinal);
            Assert.EndsWith("line 499\nline 500\ndisk full", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("line 481\n", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(["stub.sh"], scratch.Names);
    }

    [Fact]
    public void An_ffmpeg_that_dies_before_reading_does_not_block_the_writer()
    {
        using var scratch = new Scratch();
        FFmpegTools stub = scratch.Stub("echo 'no such encoder' >&2; exit 1");
        using var writer = new VideoWriter(scratch["clip.mp4"], 512, 512, 8, null, stub);
        FFmpegException error = Assert.Throws<FFmpegException>(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                writer.Write(Large);
            }
        });
        Assert.EndsWith("no such encoder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_a_write_that_hangs_ends_it()
    {
        using var scratch = new Scratch();
        FFmpegTools stub = scratch.Stub("sleep 100");
        using (var writer = new VideoWriter(scratch["clip.mp4"], 512, 512, 8, null, stub))
        using (var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)))
        {
            Assert.Throws<OperationCanceledException>(() => writer.Write(Large, source.Token));
        }

        Assert.Equal(["stub.sh"], scratch.Names);
    }

    [Fact]
    public async Task Cancelling_the_end_keeps_the_final_name_free()
    {
        using var scratch = new Scratch();
        FFmpegTools stub = scratch.Stub("cat > /dev/null; sleep 100");
        await using (var writer = new VideoWriter(scratch["clip.mp4"], 2, 2, 8, null, stub))
        using (var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)))
        {
            writer.Write(new byte[12]);
            await Assert.ThrowsAsync<OperationCanceledException>(() => writer.CompleteAsync(source.Token));
        }

        Assert.Equal(["stub.sh"], scratch.Names);
    }

    [Fact]
    public void A_second_frame_for_a_picture_names_what_would_work()
    {
        using var scratch = new Scratch();
        using (var writer = new VideoWriter(scratch["fish.png"], 2, 2, 8))
        {
            writer.Write(new byte[12]);
            SoraException error = Assert.Throws<SoraException>(() => writer.Write(new byte[12]));
            Assert.Contains("fish.mp4'", error.Message, StringComparison.Ordinal);
            Assert.Contains("folder", error.Message, StringComparison.Ordinal);
        }

        Assert.Empty(scratch.Names);
    }

    [Fact]
    public void Misuse_is_told_from_bad_requests()
    {
        using var scratch = new Scratch();
        using var writer = new VideoWriter(scratch["fish.mp4"], 2, 2, 8);
        Assert.Throws<InvalidOperationException>(() => writer.Complete());
        Assert.Throws<ArgumentException>(() => writer.Write(new byte[11]));
        Assert.Throws<ArgumentException>(() => writer.Write(new VideoFrame(0, 4, 1, new byte[12], TimeSpan.Zero)));
        Assert.Throws<ArgumentException>(() => new VideoWriter(scratch["fish.mp4"], 2, 2, default));
        writer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.Write(new byte[12]));
    }

    [Fact]
    public void Limits_of_a_format_are_named()
    {
        using var scratch = new Scratch();
        SoraException rate = Assert.Throws<SoraException>(() => new VideoWriter(scratch["a.gif"], 2, 2, 60));
        Assert.Contains("at most 50", rate.Message, StringComparison.Ordinal);
        SoraException size = Assert.Throws<SoraException>(() => new VideoWriter(scratch["a.webp"], 16384, 2, 8));
        Assert.Contains("16383", size.Message, StringComparison.Ordinal);
        Assert.Empty(scratch.Names);
    }
}
