"""Moto as an endpoint of AWS, made stricter where moto is kinder than AWS, with faults on request.

Usage: aws_server.py FOLDER PORT. `aws-up -h` tells what it does beyond moto and how it is told to misbehave.
"""
import io
import json
import os
import re
import socket
import sys
import threading
import time

S, PORT = sys.argv[1], int(sys.argv[2])

# ---- images: a few that exist, with the dates that moto leaves out
def image(number, owner, name, created, device='/dev/sda1', arch='x86_64', platform=None):
    return dict(ami_id='ami-%017x' % number, architecture=arch, creation_date=created + 'T00:00:00.000Z',
                description=name, hypervisor='xen', image_location=owner + '/' + name, image_type='machine', name=name,
                owner_id=owner, platform=platform, public=True, root_device_name=device, root_device_type='ebs',
                sriov='simple', state='available', virtualization_type='hvm')


UBUNTU, RED_HAT, DEBIAN, ROCKY, WINDOWS = '099720109477', '309956199498', '136693071363', '792107900819', '801119661308'
IMAGES = [
    image(1, UBUNTU, 'ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-20250401', '2025-04-01'),
    image(2, UBUNTU, 'ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260101', '2026-01-01'),
    image(3, UBUNTU, 'ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260801', '2026-08-01'),
    image(4, UBUNTU, 'ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-20260801', '2026-08-01', arch='arm64'),
    image(5, UBUNTU, 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260801', '2026-08-01'),
    image(6, RED_HAT, 'RHEL-9.4.0_HVM-20260701-x86_64-0-Hourly2-GP3', '2026-07-01'),
    image(7, RED_HAT, 'RHEL-8.10.0_HVM-20260701-x86_64-0-Hourly2-GP3', '2026-07-01'),
    image(8, DEBIAN, 'debian-12-amd64-20260801-2000', '2026-08-01', '/dev/xvda'),
    image(9, ROCKY, 'Rocky-9-EC2-Base-9.4-20260601.0.x86_64', '2026-06-01'),
    image(10, WINDOWS, 'Windows_Server-2022-English-Full-Base-2026.08.01', '2026-08-01', platform='windows'),
    image(11, WINDOWS, 'Windows_Server-2019-English-Full-Base-2026.08.01', '2026-08-01', platform='windows'),
    image(12, '125523088429', 'CentOS 7.9.2009 x86_64', '2024-06-01'),
]
with open(os.path.join(S, 'images.json'), 'w') as file:
    json.dump(IMAGES, file)
os.environ['MOTO_AMIS_PATH'] = os.path.join(S, 'images.json')

os.environ.update(MOTO_PORT=str(PORT), MOTO_ENABLE_AMI_VALIDATION='true', MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION='true')
DELAY = float(os.environ.get('AWSUP_DELAY', '2'))
from moto.ec2 import utils as ec2utils
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, instances as mi
from moto.ec2.models import elastic_block_store as me, nat_gateways as mn, subnets as ms, security_groups as mg
from moto.ec2.responses import elastic_block_store as rb, instances as ri
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.core import responses as core

now = time.monotonic


def err(code, msg):
    return EC2ClientError(code, msg)


# ---- states that take time
CODES = {'pending': 0, 'running': 16, 'shutting-down': 32, 'terminated': 48, 'stopping': 64, 'stopped': 80}
VIA = {'running': 'pending', 'stopped': 'stopping', 'terminated': 'shutting-down'}


class Timed(mi.InstanceState):
    def __init__(self, name='running'):
        self.goal, self.at = name, now() + DELAY

    @property
    def name(self):
        return self.goal if now() >= self.at else VIA.get(self.goal, self.goal)

    @name.setter
    def name(self, v):
        if v != self.goal:
            self.goal, self.at = v, now() + DELAY

    @property
    def code(self):
        return CODES[self.name]

    @code.setter
    def code(self, v):
        pass

    def __copy__(self):
        return mi.InstanceState(self.name, self.code)


def after_init(cls, fn):
    init = cls.__init__

    def new(self, *a, **k):
        init(self, *a, **k)
        fn(self)
    cls.__init__ = new


after_init(mi.Instance, lambda self: setattr(self, '_state', Timed()))


def timed_attr(cls, attr, via, goal, factor=1):
    """cls.attr reads `via` for DELAY seconds after it was set to `goal`"""
    slot, at = '_aws_up_' + attr, '_aws_up_at_' + attr

    def get(self):
        v = self.__dict__.get(slot)
        return via if v == goal and now() < self.__dict__.get(at, 0) else v

    def put(self, v):
        if self.__dict__.get(slot) != v:
            self.__dict__[at] = now() + DELAY * factor
        self.__dict__[slot] = v
    setattr(cls, attr, property(get, put))


timed_attr(mn.NatGateway, 'state', 'pending', 'available')
timed_attr(me.Snapshot, 'status', 'pending', 'completed')
from moto.elbv2 import models as lb
from moto.eks import models as eks
timed_attr(lb.FakeLoadBalancer, 'state', 'provisioning', 'active')
for c in ('Cluster', 'FargateProfile', 'Nodegroup', 'EKSAddon'):
    cls = getattr(eks, c, None)
    if cls:
        timed_attr(cls, 'status', 'CREATING', 'ACTIVE', 3)
if hasattr(lb.FakeLoadBalancer, 'activate'):
    lb.FakeLoadBalancer.activate = lambda self: setattr(self, 'state', 'active')
_vol_status = me.Volume.status.fget
after_init(me.Volume, lambda self: self.__dict__.__setitem__('_born', now()))
me.Volume.status = property(lambda self: 'creating' if now() < self._born + DELAY and not self.attachment else _vol_status(self))
_th = lb.FakeTargetGroup.health_for
lb.FakeTargetGroup.health_for = _th

# ---- EC2 refuses what AWS refuses
B = EC2Backend


def wrap(owner, name):
    def deco(fn):
        old = getattr(owner, name)

        def new(self, *a, **k):
            return fn(old, self, *a, **k)
        setattr(owner, name, new)
    return deco


def need(insts, ok, verb):
    for i in insts:
        if i._state.name not in ok:
            raise err('IncorrectInstanceState', "The instance '%s' is not in a state from which it can be %s." % (i.id, verb))


@wrap(mi.InstanceBackend, 'start_instances')
def _(old, self, ids):
    need(self.get_multi_instances_by_id(ids), ('stopped', 'running', 'pending'), 'started')
    return old(self, ids)


@wrap(mi.InstanceBackend, 'stop_instances')
def _(old, self, ids):
    need(self.get_multi_instances_by_id(ids), ('running', 'stopping', 'stopped'), 'stopped')
    return old(self, ids)


@wrap(rb.ElasticBlockStore, 'attach_volume')      # the API only: launching attaches root volumes, too
def _(old, self):
    be, device_path = self.ec2_backend, self._get_param('Device')
    v, i = be.get_volume(self._get_param('VolumeId')), be.get_instance(self._get_param('InstanceId'))
    if i._state.name not in ('running', 'stopped'):
        raise err('IncorrectState', "Instance '%s' is not 'running'." % i.id)
    if v.status == 'creating':
        raise err('IncorrectState', "Volume '%s' is not 'available'." % v.id)
    if v.attachment:
        raise err('VolumeInUse', '%s is already attached to an instance' % v.id)
    zone = v.zone if isinstance(v.zone, str) else v.zone.name
    if zone != i._placement.zone:
        raise err('InvalidVolume.ZoneMismatch', "The volume '%s' is not in the same availability zone as instance '%s'" % (v.id, i.id))
    if device_path in i.block_device_mapping:
        raise err('InvalidParameterValue', "Invalid value '%s' for unixDevice. Attachment point %s is already in use" % (device_path, device_path))
    return old(self)


@wrap(rb.ElasticBlockStore, 'create_volume')      # the API only: moto makes volumes of its own while it starts
def _(old, self):
    zone = self._get_param('AvailabilityZone')
    if zone not in [z.name for z in self.ec2_backend.describe_availability_zones()]:
        raise err('InvalidZone.NotFound', "The zone '%s' does not exist." % zone)
    return old(self)


@wrap(ms.SubnetBackend, 'delete_subnet')
def _(old, self, subnet_id):
    self.get_subnet(subnet_id)
    used = [e.id for e in self.enis.values() if getattr(e.subnet, 'id', None) == subnet_id and not (e.instance and e.instance._state.goal == 'terminated' and e.instance._state.name == 'terminated')]
    used += [n.id for n in self.nat_gateways.values() if n.subnet_id == subnet_id and n.state != 'deleted']
    if used:
        raise err('DependencyViolation', "The subnet '%s' has dependencies and cannot be deleted." % subnet_id)
    return old(self, subnet_id)


@wrap(mg.SecurityGroupBackend, 'delete_security_group')
def _(old, self, name=None, group_id=None):
    if group_id:
        for i in self.all_instances():
            if i._state.name != 'terminated' and any(g.id == group_id for g in i.security_groups):
                raise err('DependencyViolation', 'resource %s has a dependent object' % group_id)
        for e in self.enis.values():
            if any(g.id == group_id for g in e.group_set) and not (e.instance and e.instance._state.name == 'terminated'):
                raise err('DependencyViolation', 'resource %s has a dependent object' % group_id)
    return old(self, name, group_id)


def ports(old, self, *a, **k):
    vals = list(a) + [k.get('ip_protocol'), k.get('from_port'), k.get('to_port')]
    for lo, hi in ((k.get('from_port'), k.get('to_port')), tuple(a[2:4]) if len(a) >= 4 else (None, None)):
        for v in (lo, hi):
            try:
                n = int(v)
            except (TypeError, ValueError):
                continue
            if not -1 <= n <= 65535:
                raise err('InvalidParameterValue', 'Invalid value \'%d\' for portRange. Must be between 0 and 65535' % n)
    return old(self, *a, **k)


for n in ('authorize_security_group_ingress', 'authorize_security_group_egress'):
    wrap(mg.SecurityGroupBackend, n)(ports)

tokens, tlock = {}, threading.Lock()


@wrap(ri.InstanceResponse, 'run_instances')
def _(old, self):
    get = self._get_param
    lo, hi = int(get('MinCount', if_none='1')), int(get('MaxCount', if_none='1'))
    if lo < 1 or hi < lo:
        raise err('InvalidParameterValue', 'Invalid value \'%d\' for maxCount. Must be greater than or equal to minCount' % hi)
    tok = get('ClientToken')
    key = (self.current_account, self.region, tok)
    body = {k: v for k, v in self.data.items() if k not in ('ClientToken',) and not k.startswith(('X-Amz', 'Signature'))}
    with tlock:
        if tok and key in tokens:
            before, res = tokens[key]
            if before != body:
                raise err('IdempotentParameterMismatch', 'The request uses the same client token as a previous, but non-identical request.')
            return ri.ActionResult(res)
        it = get('InstanceType', 'm1.small')
        from moto.ec2.models.instance_types import INSTANCE_TYPES
        info = INSTANCE_TYPES.get(it) or {}
        if not info and not get('LaunchTemplate'):
            raise err('InvalidParameterValue', "Invalid value '%s' for InstanceType." % it)
        if get('ImageId') and info:
            img = next(iter(self.ec2_backend.describe_images(ami_ids=[get('ImageId')])), None)
            arch = info.get('ProcessorInfo', {}).get('SupportedArchitectures') or []
            if img is not None and arch and img.architecture and img.architecture not in arch:
                raise err('InvalidParameterValue', "The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI." % (arch[-1], img.architecture))
        if get('KeyName'):
            self.ec2_backend.describe_key_pairs(key_names=[get('KeyName')])
        n = hi
        limit = os.environ.get('AWSUP_VCPUS')
        if limit:
            each = info.get('VCpuInfo', {}).get('DefaultVCpus', 1)
            used = sum((INSTANCE_TYPES.get(i.instance_type) or {}).get('VCpuInfo', {}).get('DefaultVCpus', 1)
                       for i in self.ec2_backend.all_instances() if i._state.name in ('pending', 'running'))
            n = min(hi, int((int(limit) - used) // each))
            if n < lo:
                raise err('VcpuLimitExceeded', 'You have requested more vCPU capacity than your current vCPU limit of %s allows for the instance bucket that the specified instance type belongs to.' % limit)
        self._get_param = lambda name, *a, **k: str(n) if name == 'MinCount' else get(name, *a, **k)
        try:
            r = old(self)
        finally:
            del self._get_param
        if tok:
            tokens[key] = (body, r._result if hasattr(r, '_result') else r.result)
        return r


@wrap(ri.InstanceResponse, 'describe_instances')
def _(old, self):
    try:
        return old(self)
    except ValueError:
        raise err('InvalidParameterValue', 'Unable to parse pagination token')
    except (NotImplementedError, Exception) as e:
        if 'Filter' in type(e).__name__ or isinstance(e, NotImplementedError):
            raise err('InvalidParameterValue', 'The filter %s is invalid' % re.sub(r".*'([^']+)'.*", r"'\1'", str(e)))
        raise


# ---- faults
F = os.path.join(S, 'faults.json')
st = {'stamp': None, 'rules': [], 'seen': []}
flock = threading.Lock()


def pick(req):
    with flock:
        try:
            x = os.stat(F)
            stamp = (x.st_mtime_ns, x.st_size, x.st_ino)
            if stamp != st['stamp']:
                rules = json.load(open(F))
                st.update(stamp=stamp, rules=rules, seen=[0] * len(rules))
        except FileNotFoundError:
            st.update(stamp=None, rules=[], seen=[])
        except ValueError:
            return None
        for i, r in enumerate(st['rules']):
            if all(re.search(r[k], req[k]) if k in ('path', 'agent') else re.fullmatch(r[k], req[k]) for k in ('service', 'action', 'method', 'path', 'agent') if k in r):
                st['seen'][i] += 1
                n = st['seen'][i] - r.get('after', 0)
                if 1 <= n <= r.get('times', 1 << 60) and n % r.get('every', 1) == 0:
                    return r


def refusal(req, code, status, message):
    """A refusal in the words of the service that is asked."""
    if req['service'] == 'ec2':
        text, kind = '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>injected</RequestID></Response>', 'text/xml'
    elif 'json' in req['type'] or req['service'] in ('eks', 'servicequotas'):
        return json.dumps({'__type': code, 'message': message}), 'application/x-amz-json-1.1'
    else:
        text, kind = '<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>injected</RequestId></ErrorResponse>', 'text/xml'
    return text % (code, message), kind


# ---- who asks: one key is known, and every signature is worked out a second time, by botocore
KEY, SECRET = 'testing', 'testing'
UNKNOWN = {'ec2': ('AuthFailure', 401), 'eks': ('UnrecognizedClientException', 400), 'servicequotas': ('UnrecognizedClientException', 400)}
WRONG = {'ec2': ('AuthFailure', 401)}
EXPIRED = {'ec2': ('RequestExpired', 400)}


def unproven(env, req, body):
    """Why a request is not by who it says, as a code and a status; None when it is. A token "expired" has expired."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    m = re.fullmatch(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)', env.get('HTTP_AUTHORIZATION', ''))
    if not m:
        return None if req['action'] == 'AssumeRoleWithWebIdentity' else ('MissingAuthenticationToken', 403)
    key, _, region, service, names, signature = m.groups()
    if key != KEY:
        return UNKNOWN.get(service, ('InvalidClientTokenId', 403))
    headers = {n: env.get('CONTENT_TYPE' if n == 'content-type' else 'HTTP_' + n.upper().replace('-', '_'), '') for n in names.split(';') if n != 'host'}
    request = AWSRequest(req['method'], 'http://%s%s' % (env['HTTP_HOST'], env['REQUEST_URI']), headers, body)
    request.context['timestamp'] = env.get('HTTP_X_AMZ_DATE', '')
    auth = SigV4Auth(Credentials(KEY, SECRET), service, region)
    if auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request) != signature:
        return WRONG.get(service, ('SignatureDoesNotMatch', 403))
    if env.get('HTTP_X_AMZ_SECURITY_TOKEN') == 'expired':
        return EXPIRED.get(service, ('ExpiredTokenException' if service == 'eks' else 'ExpiredToken', 403))
    return None


class App:
    def __init__(self, app):
        self.app = app

    def __call__(self, env, start):
        if env.get('PATH_INFO', '').startswith('/moto-api'):
            return self.app(env, start)
        body = env['wsgi.input'].read(int(env.get('CONTENT_LENGTH') or 0))
        env['wsgi.input'] = io.BytesIO(body)
        kind = env.get('CONTENT_TYPE', '')
        m = re.search(r'/([a-z0-9-]+)/aws4_request', env.get('HTTP_AUTHORIZATION', ''))
        action = env.get('HTTP_X_AMZ_TARGET', '').rpartition('.')[2]
        if 'x-www-form-urlencoded' in kind:
            named = re.search(rb'(?:^|&)Action=([A-Za-z]+)', body)
            action = named.group(1).decode() if named else action
            if b'DryRun=true' in body:
                action = 'DryRun:' + action
        agent = env.get('HTTP_USER_AGENT', '')
        req = {'service': m.group(1) if m else '', 'action': action, 'method': env['REQUEST_METHOD'], 'path': env.get('PATH_INFO', ''), 'agent': agent, 'type': kind}
        why = unproven(env, req, body)
        if why:
            return self.answer(start, why[1], *refusal(req, why[0], why[1], 'the request is not proven'), why[0])
        r = pick(req)
        if not r:
            # Moto carries some calls out that are asked as a dry run.
            if action.startswith('DryRun:'):
                out = refusal(req, 'DryRunOperation', 412, 'Request would have succeeded, but DryRun flag is set.')
                return self.answer(start, 412, *out, 'DryRunOperation')
            return self.app(env, start)
        time.sleep(r.get('delay', 0))
        if r.get('drop') or r.get('hang') == 'after':
            for _ in self.app(env, lambda *a, **k: (lambda b: None)):
                pass
        if r.get('hang'):
            open(os.path.join(S, 'hangs'), 'w').close()
            time.sleep(600)
        if r.get('drop'):
            env['werkzeug.socket'].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError('reply dropped on request')
        if 'status' in r or 'code' in r:
            code, status = r.get('code', 'InternalError'), r.get('status', 400)
            out, kind = (r['body'], 'text/html') if 'body' in r else refusal(req, code, status, r.get('message', 'injected fault'))
            return self.answer(start, status, out, kind, code)
        return self.app(env, start)

    def answer(self, start, status, text, kind, code):
        out = text.encode()
        headers = [('Content-Type', kind), ('Content-Length', str(len(out)))]
        if status >= 400:
            headers.append(('x-amzn-errortype', code))
        start('%d Injected' % status, headers)
        return [out]


from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple, WSGIRequestHandler
app = DomainDispatcherApplication(create_backend_app)


class Quiet(WSGIRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_request(self, *a, **k):
        pass


run_simple('127.0.0.1', PORT, App(app), threaded=True, request_handler=Quiet)
