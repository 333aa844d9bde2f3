using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>Windows around the subject, against the frames that they are cut out of.</summary>
public class CloseUpTests
{
    private const int Side = 40, Width = 96, Height = 64;

    [Fact]
    public void A_window_is_a_part_of_a_frame_and_shows_the_subject()
    {
        World world = SyntheticAtlas.FirstEdition;
        var places = new HashSet<(int, int)>();
        for (ulong seed = 0; seed < 20; seed++)
        {
            // At rest all frames are alike, so the window is found in the first.
            ClipDescription clip = world.SampleTraining(seed) with { Motion = Motion.Rests, Start = (0.5f, 0.5f), Extent = 0.4f };
            byte[] window = Draw(world, clip, seed), frame = Frame(world, clip), empty = Frame(world, clip with { Start = (50, 50) });
            (int left, int top)? found = null;
            for (int top = 0; top <= Height - Side; top++)
            {
                for (int left = 0; left <= Width - Side; left++)
                {
                    if (Enumerable.Range(0, Side).All(y => window.AsSpan(y * Side * 3, Side * 3).SequenceEqual(frame.AsSpan((((top + y) * Width) + left) * 3, Side * 3))))
                        found = (left, top);
                }
            }

            Assert.NotNull(found);
            places.Add(found.Value);
            for (int pixel = 0; pixel < Width * Height; pixel++)
            {
                if (frame.AsSpan(pixel * 3, 3).SequenceEqual(empty.AsSpan(pixel * 3, 3)))
                    continue;
                Assert.InRange((pixel % Width) - found.Value.left, 0, Side - 1);
                Assert.InRange((pixel / Width) - found.Value.top, 0, Side - 1);
            }
        }

        Assert.True(places.Count > 10, $"{places.Count} places");
    }

    [Fact]
    public void The_moment_differs_and_the_seed_names_the_window()
    {
        World world = SyntheticAtlas.FirstEdition;
        ClipDescription clip = world.SampleTraining(1) with { Motion = Motion.Spins, Start = (0.5f, 0.5f), Speed = 0.5f };
        byte[][] windows = [.. Enumerable.Range(0, 12).Select(seed => Draw(world, clip, (ulong)seed))];
        Assert.Equal(12, windows.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(windows[3], Draw(world, clip, 3));
    }

    [Fact]
    public void A_subject_at_the_edge_is_seen_without_leaving_the_frame()
    {
        World world = SyntheticAtlas.FirstEdition;
        ClipDescription clip = world.SampleTraining(2) with { Motion = Motion.Right, Start = (-0.3f, 1.2f), Speed = 0.1f };
        for (ulong seed = 0; seed < 8; seed++)
        {
            byte[] window = Draw(world, clip, seed), corner = Frame(world, clip with { Start = (50, 50), Motion = Motion.Rests });
            // The lower left corner of the scene: its last row and first column.
            Assert.Equal(corner.AsSpan((((Height - Side) * Width) + 20) * 3, 20 * 3), window.AsSpan(20 * 3, 20 * 3));
        }
    }

    private static byte[] Draw(World world, ClipDescription clip, ulong seed)
    {
        var window = new byte[Side * Side * 3];
        CloseUp.Render(world, clip, Width, Height, Side, seed, window);
        return window;
    }

    private static byte[] Frame(World world, ClipDescription clip)
    {
        var frame = new byte[Width * Height * 3];
        world.Render(clip, Width, Height, 1, 8, frame);
        return frame;
    }
}
