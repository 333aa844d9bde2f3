using Sora.Training.Data;
using Xunit;

namespace Sora.Tests.Training.Data;

public class PackingPlanTests
{
    private const int Budget = 3840;

    [Fact]
    public void WastesLittleOnARealisticMix()
    {
        // Clips of 48×48 to 128×128 and 5 to 33 frames with as many pictures, 9 to 576 tokens, as the drawn world has them.
        int[] world = RealisticSizes(4000);
        Assert.InRange(world.Min(), 4, 12);
        Assert.InRange(world.Max(), 500, 576);
        Assert.InRange(Wasted(world, Budget, 300), 0, 0.01);
        // Videos of 480p with pictures, at two or three videos a step.
        var random = new Random(1);
        int[] large = [.. Enumerable.Range(0, 2000).Select(i => i % 3 == 0 ? random.Next(20_000, 33_000) : random.Next(300, 9_000))];
        Assert.InRange(Wasted(large, 80_000, 300), 0, 0.05);
        int[] few = [.. world.Take(7)];
        Assert.InRange(Wasted(few, Budget, 300), 0, 0.05);
        Assert.InRange(new PackingPlan(world, Budget, 1).Unused, 0, 0.01);
    }

    [Fact]
    public void EveryClipComesEquallyOftenInARoundAndInAnotherOrderInTheNext()
    {
        int[] sizes = RealisticSizes(2500);
        var plan = new PackingPlan(sizes, Budget, 1);
        var counts = new int[sizes.Length];
        int steps = 0;
        while (counts.Contains(0))
        {
            foreach (int clip in plan.Clips(steps))
                counts[clip]++;
            steps++;
        }
        Assert.All(counts, count => Assert.Equal(counts[0], count));
        Assert.NotEqual(plan.Clips(0), plan.Clips(steps));
    }

    [Fact]
    public void AStepIsAFunctionOfItsNumber()
    {
        int[] sizes = RealisticSizes(400);
        var straight = new PackingPlan(sizes, Budget, 1);
        IReadOnlyList<int>[] steps = [.. Enumerable.Range(0, 200).Select(step => straight.Clips(step))];
        var resumed = new PackingPlan(sizes, Budget, 1);
        foreach (int step in (int[])[137, 3, 199, 64, 136])
            Assert.Equal(steps[step], resumed.Clips(step));
        Assert.NotEqual(steps[0], new PackingPlan(sizes, Budget, 2).Clips(0));
        Assert.All(steps, step => Assert.InRange(step.Sum(clip => sizes[clip]), 1, Budget));
    }

    [Fact]
    public void ClipsThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new PackingPlan([], 10, 1));
        Assert.Throws<ArgumentException>(() => new PackingPlan([4, 11], 10, 1));
        Assert.Throws<ArgumentException>(() => new PackingPlan([4, 0], 10, 1));
        Assert.Equal([0], new PackingPlan([10], 10, 1).Clips(5));
    }

    private static double Wasted(int[] sizes, int budget, int steps)
    {
        var plan = new PackingPlan(sizes, budget, 1);
        return 1 - (Enumerable.Range(0, steps).Sum(step => plan.Clips(step).Sum(clip => (long)sizes[clip])) / ((double)budget * steps));
    }

    private static int[] RealisticSizes(int count)
    {
        var shapes = new ClipShapes();
        return
        [
            .. Enumerable.Range(0, count).Select(i => shapes.Draw(new(16, 4), 1, (ulong)i, picture: i % 2 == 0))
                .Select(shape => shape.Width / 16 * (shape.Height / 16) * (((shape.Frames - 1) / 4) + 1)),
        ];
    }
}
