using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>What the camera does to the pixels of a scene, and what captions say of it.</summary>
public class CameraTests
{
    private const int Side = 64, Frames = 17;

    // The subject is far out of sight.
    private static readonly ClipDescription s_scene = CaptionsTests.RedFish with
    {
        Scene = SceneCatalogue.Get("city street"), Motion = Motion.Rests, Start = (50, 50), SceneSeed = 5,
    };

    [Theory]
    [InlineData(CameraMove.ZoomIn, "while the camera zooms in")]
    [InlineData(CameraMove.ZoomOut, "while the camera zooms out")]
    [InlineData(CameraMove.Shake, "while the camera shakes")]
    [InlineData(CameraMove.PanLeft, "while the camera pans leftwards")]
    public void Captions_name_the_move(CameraMove move, string words)
    {
        ClipDescription clip = s_scene with { Camera = move };
        Assert.Contains(words, Captions.FullSentence(clip), StringComparison.Ordinal);
        Assert.All(Captions.All(clip).Where(caption => CaptionParser.Parse(caption).Scene is not null), caption => Assert.Equal(move, CaptionParser.Parse(caption).Camera));
        Assert.DoesNotContain("camera does not", DetailedCaption.Of(clip), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CameraMove.ZoomIn)]
    [InlineData(CameraMove.ZoomOut)]
    public void A_zoom_magnifies_the_scene_around_its_middle(CameraMove move)
    {
        byte[] clip = Draw(s_scene with { Camera = move }), still = Draw(s_scene);
        (int near, int far) = move == CameraMove.ZoomIn ? (Frames - 1, 0) : (0, Frames - 1);
        float zoom = CameraView.At(move, near / 8f).Zoom;
        Assert.InRange(zoom, 1.25f, 1.41f);
        // What is seen near is the still scene enlarged, and not the still scene.
        Assert.True(Difference(clip, near, still, zoom) < 0.5 * Difference(clip, near, still, 1), $"{Difference(clip, near, still, zoom)} {Difference(clip, near, still, 1)}");
        float least = CameraView.At(move, far / 8f).Zoom;
        Assert.True(Difference(clip, far, still, least) < 0.5 * Difference(clip, far, still, zoom));
        float[] zooms = [.. Enumerable.Range(0, 34).Select(t => CameraView.At(move, t / 8f).Zoom)];
        Assert.All(zooms, value => Assert.InRange(value, 1, 1.4f));
        Assert.All(zooms.Zip(zooms.Skip(1)), pair => Assert.True(move == CameraMove.ZoomIn ? pair.Second > pair.First : pair.Second < pair.First));
    }

    [Fact]
    public void A_zoom_leaves_the_subject_as_it_is()
    {
        ClipDescription clip = s_scene with { Start = (0.5f, 0.5f), Camera = CameraMove.ZoomIn };
        Assert.Equal(MotionPath.At(clip with { Camera = CameraMove.Still }, 1.5f), MotionPath.At(clip, 1.5f));
    }

    [Fact]
    public void A_shake_moves_scene_and_subject_together_and_comes_back()
    {
        ClipDescription clip = s_scene with { Start = (0.5f, 0.5f), Camera = CameraMove.Shake };
        var shifts = new HashSet<(int, int)>();
        for (int frame = 0; frame < Frames; frame++)
        {
            CameraView view = CameraView.At(CameraMove.Shake, frame / 8f);
            MotionPath at = MotionPath.At(clip, frame / 8f);
            Assert.Equal(0.5f - (view.X * view.Zoom), at.X, 1e-5f);
            Assert.Equal(0.5f - (view.Y * view.Zoom), at.Y, 1e-5f);
            // The scene never ends within the frame.
            Assert.True(Math.Abs(view.X) < (1 - (1 / view.Zoom)) / 2 && Math.Abs(view.Y) < (1 - (1 / view.Zoom)) / 2);
            shifts.Add(((int)MathF.Round(at.X * Side), (int)MathF.Round(at.Y * Side)));
        }
        Assert.InRange(shifts.Count, 6, Frames);

        // The pixels follow: each frame is the first one moved.
        byte[] shaken = Draw(s_scene with { Camera = CameraMove.Shake });
        int different = Enumerable.Range(1, Frames - 1).Count(t => !shaken.AsSpan(t * Side * Side * 3, Side * Side * 3).SequenceEqual(shaken.AsSpan(0, Side * Side * 3)));
        Assert.InRange(different, 12, Frames - 1);
    }

    [Fact]
    public void The_analysis_sees_through_it()
    {
        SpriteWorldConfig config = SpriteWorldConfig.FirstEdition with { CameraMoves = [CameraMove.ZoomIn, CameraMove.ZoomOut, CameraMove.Shake] };
        var world = new World(config, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, config.Subjects));
        var analysis = new WorldAnalysis(world);
        const int count = 24;
        ClipScore[] scores = [.. Enumerable.Range(0, count).Select(i =>
        {
            ClipDescription clip = world.Sample((ulong)i + 700);
            var rgb = new byte[Frames * Side * Side * 3];
            world.Render(clip, Side, Side, Frames, 8, rgb);
            return analysis.Score(rgb, Side, Side, CaptionMeaning.Of(clip));
        })];
        Assert.InRange(scores.Count(score => score.Subject), 0.95 * count, count);
        Assert.InRange(scores.Count(score => score.Scene), 0.95 * count, count);
        Assert.InRange(scores.Count(score => score.Motion), 0.9 * count, count);
    }

    private static byte[] Draw(ClipDescription clip)
    {
        var rgb = new byte[Frames * Side * Side * 3];
        SyntheticAtlas.World(SpriteWorldConfig.Everything).Render(clip, Side, Side, Frames, 8, rgb);
        return rgb;
    }

    // The mean difference of a frame and a still one enlarged around its middle.
    private static double Difference(byte[] video, int frame, byte[] still, float zoom)
    {
        double sum = 0;
        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                int fromX = (int)(((x + 0.5f - (Side / 2f)) / zoom) + (Side / 2f)), fromY = (int)(((y + 0.5f - (Side / 2f)) / zoom) + (Side / 2f));
                for (int channel = 0; channel < 3; channel++)
                    sum += Math.Abs(video[(((frame * Side * Side) + (y * Side) + x) * 3) + channel] - still[(((fromY * Side) + fromX) * 3) + channel]);
            }
        }
        return sum / (Side * Side * 3);
    }
}
