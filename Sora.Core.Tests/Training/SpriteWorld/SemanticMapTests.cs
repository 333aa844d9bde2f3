using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>What a map says of a clip, against where its subject is and what its drawing changes.</summary>
public class SemanticMapTests
{
    private const int Point = 6, Mirrored = 8, Cosine = 9, Sine = 10, Cover = 11, Cell = 8, Side = 8;
    private static readonly World s_world = SyntheticAtlas.World(SpriteWorldConfig.ByDay);

    [Fact]
    public void The_cover_is_that_of_the_pixels_that_the_subject_changes()
    {
        ClipDescription clip = Still("dog") with { Start = (0.4f, 0.6f), Extent = 0.6f };
        float[] map = MapOf(clip);
        byte[] drawn = new byte[64 * 64 * 3], empty = new byte[drawn.Length];
        s_world.Render(clip, 64, 64, 1, 8, drawn);
        s_world.Render(clip with { Start = (50, 50) }, 64, 64, 1, 8, empty);
        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                int changed = 0;
                for (int i = 0; i < Cell * Cell; i++)
                {
                    int pixel = ((((y * Cell) + (i / Cell)) * 64) + (x * Cell) + (i % Cell)) * 3;
                    if (!drawn.AsSpan(pixel, 3).SequenceEqual(empty.AsSpan(pixel, 3)))
                        changed++;
                }
                // Pixels at the edge are covered in part, and cells that are hardly covered are left out.
                Assert.InRange(At(map, Cover, x, y), 2.5 * ((changed / 64.0) - 0.35), 2.5 * ((changed / 64.0) + 0.15));
            }
        }
        Assert.InRange(Enumerable.Range(0, 64).Count(i => map[(Cover * 64) + i] > 0), 12, 40);
    }

    [Fact]
    public void A_cell_knows_its_point_of_the_drawing_and_a_mirrored_one_the_same_point()
    {
        ClipDescription left = Still("dog") with { Start = (0.5f, 0.5f), Extent = 0.6f, FacesRight = false };
        float[] map = MapOf(left), mirrored = MapOf(left with { FacesRight = true });
        float side = 0.6f * 64;
        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                if (At(map, Cover, x, y) > 0)
                {
                    Assert.Equal(2.5 * 3 * (((x + 0.5) * Cell) - 32) / side, At(map, Point, x, y), 1e-3);
                    Assert.Equal(2.5 * 3 * (((y + 0.5) * Cell) - 32) / side, At(map, Point + 1, x, y), 1e-3);
                    Assert.Equal(-2.5, At(map, Mirrored, x, y), 1e-3);
                }
                // What is on the left of one is on the right of the other, and the same point of the drawing.
                foreach (int channel in (int[])[0, 1, 2, 3, 4, 5, Point, Point + 1, Cosine, Sine, Cover])
                    Assert.Equal(At(map, channel, x, y), At(mirrored, channel, Side - 1 - x, y), 1e-2);
                Assert.Equal(-At(map, Mirrored, x, y), At(mirrored, Mirrored, Side - 1 - x, y), 1e-3);
            }
        }
    }

    [Fact]
    public void A_turn_is_that_of_the_moment()
    {
        ClipDescription clip = Still("dog") with { Motion = Motion.Spins, Speed = 0.25f, Start = (0.5f, 0.5f), Extent = 0.6f };
        // A quarter of a round a second.
        float[] map = MapOf(clip, [0f], [1f], [0.8f, 1.2f]);
        int middle = (4 * Side) + 3;
        Assert.Equal((2.5, 0), (Of(Cosine, 0), Of(Sine, 0)));
        Assert.Equal((0, 2.5), (Of(Cosine, 1), Of(Sine, 1)));
        // The mean of a frame's moments, 18 degrees to either side: shorter the faster it turns.
        Assert.Equal(2.5 * Math.Cos(18 * Math.PI / 180), Of(Sine, 2), 1e-2);
        Assert.InRange(Of(Cosine, 2), -0.4, 0.4);

        double Of(int channel, int frame) => Math.Round(map[(((channel * 3) + frame) * 64) + middle], 3) + 0.0;
    }

    [Fact]
    public void A_window_has_what_the_whole_map_has_there()
    {
        ClipDescription clip = Still("fish") with { Start = (0.55f, 0.45f), Extent = 0.5f };
        float[] whole = MapOf(clip), window = new float[SemanticMap.Channels * 5 * 5];
        SemanticMap.Draw(clip, s_world.Atlas, (64, 64), (16, 8, 40, 40), [[0f]], Cell, window);
        for (int channel = 0; channel < SemanticMap.Channels; channel++)
        {
            for (int y = 0; y < 5; y++)
            {
                for (int x = 0; x < 5; x++)
                    Assert.Equal(At(whole, channel, x + 2, y + 1), window[(((channel * 5) + y) * 5) + x], 1e-3);
            }
        }
    }

    [Fact]
    public void Every_subject_has_signs_of_its_own()
    {
        var signs = new HashSet<string>();
        foreach (Subject subject in SubjectCatalogue.All)
        {
            float[] map = MapOf(Still(subject.Name) with { Start = (0.5f, 0.5f), Extent = 0.6f });
            int middle = (4 * Side) + 3;
            float[] code = [.. Enumerable.Range(0, 6).Select(i => map[(i * 64) + middle])];
            Assert.All(code, value => Assert.Equal(2.5, Math.Abs(value), 1e-4));
            Assert.Equal(0, code.Count(value => value < 0) % 2);
            Assert.True(signs.Add(string.Join(' ', code)), subject.Name);
        }
    }

    [Fact]
    public void The_nearer_of_two_subjects_hides_the_other()
    {
        ClipDescription far = Still("cat") with { Start = (0.45f, 0.5f), Extent = 0.6f }, near = Still("dog") with { Start = (0.7f, 0.5f), Extent = 0.5f };
        float[] both = MapOf(near with { Companion = far }), one = MapOf(near), other = MapOf(far);
        for (int i = 0; i < 64; i++)
        {
            float cover = one[(Cover * 64) + i];
            float[] expected = cover > 2.5f * 0.6f ? one : cover == 0 ? other : both;
            for (int channel = 0; channel < 6; channel++)
                Assert.Equal(expected[(channel * 64) + i], both[(channel * 64) + i]);
        }
    }

    [Fact]
    public void Frames_of_the_latent_have_the_times_of_their_pictures()
    {
        Assert.Equal([0f], SemanticMap.Times(1, 4, 8)[0]);
        Assert.Equal([0.125f, 0.25f, 0.375f, 0.5f], SemanticMap.Times(4, 4, 8)[1]);
        Assert.Equal([2.625f, 2.75f, 2.875f, 3f], SemanticMap.Times(4, 4, 8, 1.5f)[3]);
    }

    private static ClipDescription Still(string subject) => s_world.SampleTraining(3) with
    {
        Subject = SubjectCatalogue.Get(subject), Motion = Motion.Rests, FacesRight = false, Camera = CameraMove.Still, Companion = null,
    };

    private static float[] MapOf(ClipDescription clip, params float[][] seconds)
    {
        float[][] times = seconds.Length == 0 ? [[0f]] : seconds;
        var map = new float[SemanticMap.Channels * times.Length * Side * Side];
        SemanticMap.Draw(clip, s_world.Atlas, (64, 64), (0, 0, 64, 64), times, Cell, map);
        return map;
    }

    private static float At(float[] map, int channel, int x, int y) => map[(channel * 64) + (y * Side) + x];
}
