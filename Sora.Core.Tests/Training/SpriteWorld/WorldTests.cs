using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

public class WorldTests
{
    private static readonly World s_world = SyntheticAtlas.FirstEdition;

    [Fact]
    public void A_seed_names_one_clip()
    {
        for (ulong seed = 0; seed < 50; seed++)
        {
            ClipDescription clip = s_world.SampleTraining(seed);
            Assert.Equal(clip, SyntheticAtlas.World(SpriteWorldConfig.FirstEdition).SampleTraining(seed));
            Assert.Equal(Render(clip), Render(clip));
        }

        // For ever: a trained model's evaluation refers to clips by seed.
        Assert.Equal("a green butterfly flies left in the deep sea", Captions.FullSentence(s_world.SampleTraining(0)));
        Assert.Equal("a red car rests in the desert", Captions.FullSentence(s_world.SampleTraining(1)));
        Assert.Equal("a green car falls in the desert", Captions.FullSentence(s_world.SampleTraining(2)));
    }

    [Fact]
    public void Sampling_covers_the_config_and_follows_the_filter()
    {
        ClipDescription[] clips = [.. Enumerable.Range(0, 500).Select(i => s_world.Sample((ulong)i))];
        Assert.Equal(8, clips.Select(clip => clip.Subject).Distinct().Count());
        Assert.Equal(4, clips.Select(clip => clip.Scene).Distinct().Count());
        Assert.Equal(6, clips.Select(clip => clip.Motion).Distinct().Count());
        Assert.Equal(4, clips.Select(clip => clip.Colour).Distinct().Count());

        ClipDescription filtered = s_world.Sample(7, new ClipFilter
        {
            Subject = SubjectCatalogue.Get("fish"), Motion = Motion.Up, Colour = SubjectColour.Red,
        });
        Assert.Equal(("fish", Motion.Up, SubjectColour.Red), (filtered.Subject.Name, filtered.Motion, filtered.Colour));
    }

    [Theory]
    [InlineData(0f, 0, 0)]
    [InlineData(0.25f, 0.18, 0.32)]
    [InlineData(0.5f, 0.4, 0.6)]
    [InlineData(1f, 1, 1)]
    public void A_share_of_subjects_faces_the_other_way_than_drawn(float share, double least, double most)
    {
        World world = SyntheticAtlas.World(SpriteWorldConfig.ByDay with { MirroredShare = share }), half = SyntheticAtlas.World(SpriteWorldConfig.ByDay with { MirroredShare = 0.5f });
        ClipDescription[] clips = [.. Enumerable.Range(0, 300).Select(i => world.Sample((ulong)i))];
        Assert.InRange(clips.Average(clip => clip.FacesRight != (clip.Subject.Facing == Facing.Right) ? 1.0 : 0), least, most);
        // All else is as a seed says in any case.
        Assert.All(clips.Select((clip, i) => (clip, i)), pair => Assert.Equal(half.Sample((ulong)pair.i) with { FacesRight = pair.clip.FacesRight }, pair.clip));
    }

    [Fact]
    public void Motion_is_a_function_of_time_whatever_the_frame_rate()
    {
        foreach (Motion motion in Enum.GetValues<Motion>())
        {
            ClipDescription clip = s_world.Sample(3, new ClipFilter { Motion = motion });
            byte[] slow = Render(clip, frames: 9, fps: 4), fast = Render(clip, frames: 17, fps: 8);
            int frame = 64 * 64 * 3;
            for (int t = 0; t < 9; t++)
                Assert.Equal(slow[(t * frame)..((t + 1) * frame)], fast[(2 * t * frame)..(((2 * t) + 1) * frame)]);
        }
    }

    [Theory]
    [InlineData(112, 64)]
    [InlineData(48, 80)]
    [InlineData(128, 128)]
    [InlineData(63, 49)]
    public void The_subject_moves_alike_in_frames_of_any_size(int width, int height)
    {
        ClipDescription clip = s_world.Sample(5, new ClipFilter { Motion = Motion.Right });
        (double X, double Y)[] square = SubjectPositions.Of(s_world, clip, 64, 64);
        (double X, double Y)[] other = SubjectPositions.Of(s_world, clip, width, height);
        for (int t = 0; t < square.Length; t++)
        {
            Assert.Equal(square[t].X, other[t].X, 0.06);
            Assert.Equal(square[t].Y, other[t].Y, 0.06);
        }
    }

    [Theory]
    [InlineData(Motion.Left, -1, 0)]
    [InlineData(Motion.Right, 1, 0)]
    [InlineData(Motion.Up, 0, -1)]
    [InlineData(Motion.Down, 0, 1)]
    [InlineData(Motion.Rests, 0, 0)]
    public void Pixels_move_where_the_motion_says(Motion motion, int directionX, int directionY)
    {
        for (ulong seed = 0; seed < 12; seed++)
        {
            ClipDescription clip = s_world.Sample(seed, new ClipFilter { Motion = motion });
            (double X, double Y)[] positions = SubjectPositions.Of(s_world, clip, 64, 64);
            AssertMoves(positions[^1].X - positions[0].X, directionX);
            AssertMoves(positions[^1].Y - positions[0].Y, directionY);
        }

        // About half of the frame, or not at all.
        static void AssertMoves(double way, int direction) => Assert.InRange(
            direction == 0 ? way : way * direction, direction == 0 ? -0.05 : 0.33, direction == 0 ? 0.05 : 0.62);
    }

    [Fact]
    public void Bounces_twice_in_two_seconds()
    {
        for (ulong seed = 0; seed < 12; seed++)
        {
            ClipDescription clip = s_world.Sample(seed, new ClipFilter { Motion = Motion.Bounces });
            double[] y = [.. SubjectPositions.Of(s_world, clip, 64, 64).Select(position => position.Y)];
            double ground = y.Max(), top = y.Min();
            Assert.InRange(ground - top, 0.2, 0.45);
            bool[] down = [.. y.Select(height => height > ground - 0.12)];
            Assert.Equal(2, down.Zip(down.Skip(1), (now, next) => now && !next).Count(jumps => jumps));
        }
    }

    [Fact]
    public void The_subject_faces_its_motion()
    {
        ClipDescription left = s_world.Sample(1, new ClipFilter
        {
            Motion = Motion.Left, Subject = SubjectCatalogue.Get("fish"),
        });
        ClipDescription right = left with { Motion = Motion.Right };
        // The half disc, which is the synthetic fish's head, leads.
        Assert.True(HeadIsLeft(left));
        Assert.False(HeadIsLeft(right));

        static bool HeadIsLeft(ClipDescription clip)
        {
            clip = clip with { Start = (0.5f, 0.5f), Extent = 0.8f };
            float[] change = SubjectPositions.Changes(s_world, clip, 64, 64)[0];
            double leftHalf = Enumerable.Range(0, 64 * 64).Where(i => i % 64 < 32).Sum(i => change[i] > 0.01f ? 1 : 0);
            return leftHalf > change.Count(value => value > 0.01f) / 2.0;
        }
    }

    [Fact]
    public void Refuses_a_buffer_of_another_size() =>
        Assert.Throws<ArgumentException>(() => s_world.Render(s_world.Sample(0), 64, 64, 17, 8, new byte[100]));

    [Fact]
    public void Missing_sprites_name_the_script_that_fetches_them()
    {
        string folder = Path.Combine(Path.GetTempPath(), "no-such-sprites");
        var error = Assert.Throws<SoraException>(() => SpriteAtlas.Load(folder));
        Assert.Contains("models/sprites.sh", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Render(ClipDescription clip, int frames = 17, double fps = 8)
    {
        var rgb = new byte[frames * 64 * 64 * 3];
        s_world.Render(clip, 64, 64, frames, fps, rgb);
        return rgb;
    }
}
