using Xunit;

namespace Sora.Tests.Engine;

[Collection(LiveTensors.Name)]
public class DisposeScopeTests
{
    [Fact]
    public void DisposesWhatWasMadeInIt()
    {
        long before = LiveTensors.Count();
        Tensor inside;
        using (NewDisposeScope())
        {
            inside = ones([2]) + ones([2]);
            Assert.Equal(before + 3, Tensor.TotalCount);
        }
        Assert.True(inside.IsInvalid);
        Assert.Equal(before, Tensor.TotalCount);
        Assert.Throws<ObjectDisposedException>(() => inside.shape);
    }

    [Fact]
    public void ATensorMovedOutwardsLivesUntilTheOuterScopeEnds()
    {
        Tensor moved;
        using (NewDisposeScope())
        {
            using (DisposeScope inner = NewDisposeScope())
                moved = inner.MoveToOuter(ones([3]));
            Assert.Equal([3], moved.shape);
        }
        Assert.True(moved.IsInvalid);
    }

    [Fact]
    public void MoveToOuterDisposeScopeTakesOneStep()
    {
        using DisposeScope outer = NewDisposeScope();
        using DisposeScope middle = NewDisposeScope();
        Tensor moved;
        using (NewDisposeScope())
            moved = ones([3]).MoveToOuterDisposeScope();
        Assert.Equal(1, middle.DisposablesCount);
        Assert.Equal(0, outer.DisposablesCount);
        moved.MoveToOuterDisposeScope();
        Assert.Equal(0, middle.DisposablesCount);
        Assert.Equal(1, outer.DisposablesCount);
    }

    [Fact]
    public void ATensorThatLeavesTheOutermostScopeOrIsDetachedBelongsToTheCaller()
    {
        Tensor moved, detached;
        using (DisposeScope scope = NewDisposeScope())
        {
            moved = scope.MoveToOuter(ones([1]));
            detached = ones([1]).DetachFromDisposeScope();
        }
        Assert.False(moved.IsInvalid);
        Assert.False(detached.IsInvalid);
        moved.Dispose();
        detached.Dispose();
    }

    [Fact]
    public void AScopeMovesOnlyItsOwnTensors()
    {
        using Tensor free = ones([1]).DetachFromDisposeScope();
        using (DisposeScope outer = NewDisposeScope())
        {
            Tensor ofOuter = ones([1]);
            using DisposeScope inner = NewDisposeScope();
            inner.MoveToOuter(free);
            inner.Detach(ofOuter);
            Assert.Equal(1, outer.DisposablesCount);
        }
        Assert.False(free.IsInvalid);
    }

    [Fact]
    public void ScopesHoldManyTensorsThatComeAndGo()
    {
        long before = LiveTensors.Count();
        using (DisposeScope scope = NewDisposeScope())
        {
            var kept = new List<Tensor>();
            for (int i = 0; i < 100; i++)
            {
                Tensor tensor = ones([1]);
                if (i % 3 == 0)
                    tensor.Dispose();
                else if (i % 3 == 1)
                    kept.Add(tensor);
            }
            kept[10].Dispose();
            Assert.Equal(65, scope.DisposablesCount);
        }
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void AnExceptionInsideFreesEverything()
    {
        long before = LiveTensors.Count();
        Assert.Throws<InvalidOperationException>(Fail);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void EachThreadHasItsOwnScopes()
    {
        using DisposeScope scope = NewDisposeScope();
        var thread = new Thread(() => ones([1]).Dispose());
        Tensor? other = null;
        var maker = new Thread(() => other = ones([1]));
        thread.Start();
        maker.Start();
        thread.Join();
        maker.Join();
        Assert.Equal(0, scope.DisposablesCount);
        other!.Dispose();
    }

    private static void Fail()
    {
        using DisposeScope outer = NewDisposeScope();
        Tensor a = ones([2]);
        using DisposeScope inner = NewDisposeScope();
        throw new InvalidOperationException($"{a + a}");
    }
}
