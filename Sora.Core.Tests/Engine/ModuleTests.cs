using Xunit;

namespace Sora.Tests.Engine;

public class ModuleTests
{
    [Fact]
    public void NamesFollowTheTree()
    {
        using var net = new Net(1);
        Assert.Equal(["scale", "inner.weight", "inner.bias"], net.named_parameters().Select(p => p.name));
        Assert.Equal(["scale"], net.named_parameters(recurse: false).Select(p => p.name));
        Assert.Equal(["inner.bias", "inner.mean", "inner.weight", "scale"], net.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["inner"], net.named_children().Select(c => c.name));
        Assert.All(net.parameters(), p => Assert.True(p.requires_grad));
    }

    [Fact]
    public void LoadingCopiesValues()
    {
        using var from = new Net(2);
        using var to = new Net(5);
        (IList<string> missing, IList<string> unexpected) = to.load_state_dict(from.state_dict());
        Assert.Empty(missing);
        Assert.Empty(unexpected);
        using DisposeScope scope = NewDisposeScope();
        Assert.All(to.state_dict().Values, t => Assert.Equal(2, t.max().item<float>()));
        from.parameters().First().requires_grad = false;
        from.parameters().First().fill_(7);
        Assert.Equal(2, to.parameters().First().max().item<float>());
    }

    [Fact]
    public void StrictLoadingRefusesOtherNames()
    {
        using var net = new Net(1);
        Dictionary<string, Tensor> state = net.state_dict();
        state.Remove("scale");
        using Tensor extra = ones([1]);
        state.Add("other", extra);
        Assert.Throws<InvalidOperationException>(() => net.load_state_dict(state));
        (IList<string> missing, IList<string> unexpected) = net.load_state_dict(state, strict: false);
        Assert.Equal(["scale"], missing);
        Assert.Equal(["other"], unexpected);
    }

    [Fact]
    public void ModesReachTheChildrenAndGradientsAreDropped()
    {
        using var net = new Net(1);
        net.eval();
        Assert.All(net.named_children(), child => Assert.False(child.module.training));
        net.train();
        Assert.All(net.named_children(), child => Assert.True(child.module.training));
        using DisposeScope scope = NewDisposeScope();
        net.parameters().First().sum().backward();
        Assert.NotNull(net.parameters().First().grad);
        net.zero_grad();
        Assert.Null(net.parameters().First().grad);
    }

    [Fact]
    public void DisposingFreesTheWholeTree()
    {
        var net = new Net(1);
        Tensor[] all = [.. net.state_dict().Values];
        net.Dispose();
        Assert.All(all, t => Assert.True(t.IsInvalid));
    }

    private sealed class Net : nn.Module
    {
        public Net(float value) : base("net")
        {
            register_parameter("scale", new(full([3], value)));
            register_module("inner", new Inner(value));
        }
    }

    private sealed class Inner : nn.Module
    {
        public Inner(float value) : base("inner")
        {
            register_parameter("weight", new(full([2, 3], value)));
            register_parameter("bias", new(full([2], value)));
            register_buffer("mean", full([2], value));
        }
    }
}
